-- title: Function opened to everyone
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1648, T1098]
-- pci: ["7.2.1", "7.3.1", "10.2.1.5"]
-- why: Anyone may now call this function, from another AWS account or by its public address, without signing in. It
--   works with the rights of its role, so it can serve as a door that stays open after every key has been changed.
-- response: Remove the permission or the function's address unless its owner vouches for it. Compare the code with what
--   was deployed last, and read what the role of the function did since.
-- false_positives: a webhook or a public site behind a function URL, which checks its callers itself
-- blind_spots: functions opened before the window; a condition on a source that anyone can use; APIs in front of
--   functions
SELECT *
FROM cloudtrail_events
WHERE event_source = 'lambda.amazonaws.com'
  AND event_name IN (
      'AddPermission', 'AddPermission20150331', 'AddPermission20150331v2',
      'CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig'
  )
  AND (
      json_extract_scalar(request_parameters, '$.authType') = 'NONE'
      OR (
          json_extract_scalar(request_parameters, '$.principal') = '*'
          AND json_extract_scalar(request_parameters, '$.sourceArn') IS NULL
          AND json_extract_scalar(request_parameters, '$.sourceAccount') IS NULL
          AND json_extract_scalar(request_parameters, '$.principalOrgID') IS NULL
          AND COALESCE(json_extract_scalar(request_parameters, '$.functionUrlAuthType'), 'NONE') <> 'AWS_IAM'
      )
  )
