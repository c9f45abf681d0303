-- title: Bucket keeps no former versions any more
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1490, T1485]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: Versions and locks keep what is overwritten or deleted. To switch them off is the step before data is destroyed
--   or encrypted for ransom.
-- response: Switch versions or the lock on again unless the owner knows of it. See what was deleted or overwritten
--   since.
-- false_positives: an owner who saves money on a bucket of temporary files
-- blind_spots: buckets that never had versions; former versions deleted one by one, which are data events
SELECT *
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutBucketVersioning', 'PutBucketObjectLockConfiguration')
  AND (
      json_extract_scalar(request_parameters, '$.VersioningConfiguration.Status') = 'Suspended'
      OR json_extract_scalar(request_parameters, '$.VersioningConfiguration.MfaDelete') = 'Disabled'
      OR (
          json_extract(request_parameters, '$.ObjectLockConfiguration') IS NOT NULL
          AND json_extract(request_parameters, '$.ObjectLockConfiguration.Rule') IS NULL
      )
  )
