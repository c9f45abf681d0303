-- title: Layer put on a function by hand
-- kind: match
-- severity: medium
-- yields_to: [lambda.layer_from_other_account]
-- attack: [T1648, T1554]
-- pci: ["6.5.1", "10.2.1.7", "11.5.2"]
-- why: A layer adds code that runs with a function and before it, and changes nothing in the function's own code. It is
--   a quiet way to read what the function reads and to act with its role.
-- response: Look at the layers of the function and who published them. Remove what is not in the repository, and treat
--   the rights of the role and the secrets it reads as stolen if nobody knows the layer.
-- false_positives: somebody trying a layer in a test account; a change that names the layers that were there before
-- blind_spots: what the layer does; deployment tools can be feigned in the user agent
SELECT *
FROM cloudtrail_events
WHERE event_source = 'lambda.amazonaws.com'
  AND event_name IN (
      'UpdateFunctionConfiguration', 'UpdateFunctionConfiguration20150331', 'UpdateFunctionConfiguration20150331v2'
  )
  AND cardinality(TRY_CAST(json_extract(request_parameters, '$.layers') AS ARRAY(VARCHAR))) > 0
  AND hand NOT IN ('automation', 'service')
