-- title: Block of public access removed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562, T1530]
-- pci: ["1.4.4", "7.2.1", "10.2.1.7"]
-- why: This block keeps buckets private whatever their policies say. Without it one wrong policy gives the data to
--   everybody; taken off the whole account it covers no bucket any more.
-- response: Set the block again unless the bucket is a public site. See whether the bucket was opened meanwhile
--   (s3.bucket_open_to_everyone).
-- false_positives: a bucket that becomes a public web site
-- blind_spots: buckets that never had the block
SELECT *,
    CASE WHEN event_name LIKE '%Account%' THEN 'the whole account' ELSE resource_arn END AS resource
FROM cloudtrail_events
WHERE event_source IN ('s3.amazonaws.com', 's3-control.amazonaws.com')
  AND event_name IN (
      'DeleteBucketPublicAccessBlock', 'PutBucketPublicAccessBlock',
      'DeleteAccountPublicAccessBlock', 'PutAccountPublicAccessBlock'
  )
  AND (
      event_name LIKE 'Delete%'
      OR regexp_like(
          json_format(json_extract(request_parameters, '$.PublicAccessBlockConfiguration')),
          '"(BlockPublicAcls|IgnorePublicAcls|BlockPublicPolicy|RestrictPublicBuckets)"\s*:\s*"?false'
      )
  )
