-- title: Trail made to record less, or without proof
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.3.4", "10.7.2"]
-- cis: ["3.0/4.5", "7.0/5.5"]
-- why: The trail no longer covers other regions or global services, no longer signs its files, or no longer feeds the
--   alarms. It goes on running, so nothing looks wrong.
-- response: Set the trail back, and take the regions or services it left out as unobserved since. Files written without
--   signatures prove nothing by themselves.
-- false_positives: one trail of several narrowed on purpose; the console, which sends all settings even if one changed
-- blind_spots: whether it was like this before, since the log shows the new settings only
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name IN ('UpdateTrail', 'PutInsightSelectors')
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
  AND (
      event_name = 'UpdateTrail'
      AND regexp_like(
          request_parameters,
          '"(isMultiRegionTrail|includeGlobalServiceEvents|enableLogFileValidation)"\s*:\s*"?false'
              || '|"cloudWatchLogsLogGroupArn"\s*:\s*""'
      )
      OR event_name = 'PutInsightSelectors'
      AND regexp_like(request_parameters, '"insightSelectors"\s*:\s*\[\s*\]')
  )
