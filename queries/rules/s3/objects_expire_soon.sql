-- title: Objects of a bucket set to expire within days
-- kind: match
-- severity: medium
-- per: resource
-- yields_to: [logging.log_bucket_lifecycle_cut]
-- params:
--   min_days: {type: bigint, default: 4, about: days that objects must be kept at least}
-- attack: [T1485.001, T1562.008]
-- pci: ["10.2.1.7", "10.5.1", "12.10.1"]
-- why: S3 itself will delete what is in this bucket within days, silently and without an event for each object. It is
--   an easy way to destroy data or logs, and leaves a few days at most to stop it.
-- response: Take the rule off the bucket at once unless its owner knows of it. If objects are gone, look for former
--   versions and copies.
-- false_positives: buckets for temporary files, often made by infrastructure code
-- blind_spots: which objects the rule covers; expiry by date; former versions, which may expire by another rule
SELECT *
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
  AND any_match(
      ARRAY[json_extract(request_parameters, '$.LifecycleConfiguration.Rule')],
      rules -> any_match(
          COALESCE(TRY_CAST(rules AS ARRAY(JSON)), ARRAY[rules]),
          rule -> json_extract_scalar(rule, '$.Status') = 'Enabled'
              AND TRY_CAST(json_extract_scalar(rule, '$.Expiration.Days') AS BIGINT) < :min_days
      )
  )
