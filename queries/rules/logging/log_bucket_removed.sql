-- title: Bucket of logs deleted or closed to its writers
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1562.008, T1485]
-- pci: ["10.3.2", "10.5.1", "10.7.2"]
-- why: Trails and flow logs deliver to a bucket whose policy lets AWS write there. Without bucket or policy they go on
--   running and deliver nothing, and no call to the trail shows it.
-- response: Make the bucket again or put its policy back, and check the last delivery of every trail. Take the time
--   until then as unobserved.
-- false_positives: an old log bucket retired after its time
-- blind_spots: buckets of logs whose names do not say so; a policy exchanged for one that shuts the writers out
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.bucketName'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('DeleteBucket', 'DeleteBucketPolicy')
  AND regexp_like(
      lower(json_extract_scalar(request_parameters, '$.bucketName')),
      'cloudtrail|awslogs|flow-?logs?\b|(^|[-._])(logs?|audit|trails?)([-._]|$)'
  )
