-- title: Code of a function replaced by hand
-- kind: match
-- severity: medium
-- attack: [T1648, T1554]
-- pci: ["6.5.1", "10.2.1.7", "11.5.2"]
-- why: The code of this function was replaced by something other than a deployment tool. Whoever can do that runs code
--   with all rights of the function's role, again and again, and sees every request it handles.
-- response: Compare the code with what the repository says, and deploy it anew. If nobody knows of the change, treat
--   the rights of the role and the secrets it reads as stolen.
-- false_positives: developers who upload code to a function of a test account; deployment tools of one's own that the
--   program does not know
-- blind_spots: what the code does; deployment tools can be feigned in the user agent
SELECT *
FROM cloudtrail_events
WHERE event_source = 'lambda.amazonaws.com'
  AND event_name IN ('UpdateFunctionCode', 'UpdateFunctionCode20150331', 'UpdateFunctionCode20150331v2')
  AND COALESCE(json_extract_scalar(request_parameters, '$.dryRun'), 'false') <> 'true'
  AND hand NOT IN ('automation', 'service')
