-- title: Image scanning switched off
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.001, T1525]
-- pci: ["6.3.1", "11.3.1", "11.5.2"]
-- why: Images pushed from now on are no longer checked for known holes. A bad image can then be put in place without
--   anybody being told.
-- response: Switch scanning on again, for the whole registry, and scan what was pushed in between.
-- false_positives: a move from settings of each repository to one of the registry; another scanner in the pipeline
-- blind_spots: enhanced scanning swapped for basic, since the log does not show what was before; rules that leave some
--   repositories out; repositories made without scanning
SELECT *, COALESCE(resource_arn, 'registry ' || account_id) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND (
      (
          event_name = 'PutImageScanningConfiguration'
          AND json_extract_scalar(request_parameters, '$.imageScanningConfiguration.scanOnPush') = 'false'
      )
      OR (
          event_name = 'PutRegistryScanningConfiguration'
          AND request_parameters IS NOT NULL  -- a refusal may carry none
          AND NOT COALESCE(
              any_match(
                  TRY_CAST(json_extract(request_parameters, '$.rules') AS ARRAY(JSON)),
                  rule -> json_extract_scalar(rule, '$.scanFrequency') <> 'MANUAL'
              ),
              FALSE
          )
      )
  )
