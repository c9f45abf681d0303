-- title: Logs in a bucket set to vanish after a few days
-- kind: match
-- severity: high
-- per: resource
-- params:
--   few_days: {type: bigint, default: 30, about: logs that are kept no longer than this many days}
-- attack: [T1562.008, T1485.001, T1070]
-- pci: ["10.5.1", "10.3.2"]
-- why: A lifecycle rule empties the bucket of logs by itself, old files first. It needs no right to delete anything,
--   and a year of evidence can be gone by tomorrow.
-- response: Take the rule away at once, since S3 applies it within about a day. Restore from versions, replicas or the
--   log archive account, and ask the principal.
-- false_positives: a bucket of debug output; the full time is kept elsewhere
-- blind_spots: buckets of logs whose names, prefixes and rules do not say so, which only the trail's settings tell;
--   rules that were there before; a rule that looks at tags or sizes may spare most files
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.bucketName'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
  AND (
      regexp_like(lower(request_parameters), 'cloudtrail|awslogs|flow-?logs?\b|audit-?logs?\b')
      OR regexp_like(
          lower(json_extract_scalar(request_parameters, '$.bucketName')), '(^|[-._])(logs?|audit|trails?)([-._]|$)'
      )
  )
  AND any_match(
      ARRAY[json_extract(request_parameters, '$.LifecycleConfiguration.Rule')],
      rules -> any_match(
          COALESCE(TRY_CAST(rules AS ARRAY(JSON)), ARRAY[rules]),
          rule -> json_extract_scalar(rule, '$.Status') = 'Enabled'
              AND (
                  TRY_CAST(json_extract_scalar(rule, '$.Expiration.Days') AS BIGINT) <= :few_days
                  OR json_extract_scalar(rule, '$.Expiration.Date') IS NOT NULL
              )
      )
  )
