-- title: CloudTrail settings changed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.3.2"]
-- cis: ["3.0/4.5", "7.0/5.5"]
-- why: UpdateTrail decides where the log goes and with which key it is encrypted. A small change here can send the log
--   to somebody else, or make it unreadable.
-- response: Compare bucket, prefix, key and topic with the approved settings and set them back if they differ.
-- false_positives: planned changes by the team that owns logging
-- blind_spots: changes of the bucket itself (logging.log_bucket_removed, logging.log_bucket_lifecycle_cut)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name = 'UpdateTrail'
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
  AND NOT regexp_like(  -- logging.trail_narrowed
      COALESCE(request_parameters, ''),
      '"(isMultiRegionTrail|includeGlobalServiceEvents|enableLogFileValidation)"\s*:\s*"?false'
          || '|"cloudWatchLogsLogGroupArn"\s*:\s*""'
  )
