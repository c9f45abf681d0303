-- title: Image or disk snapshot given to everyone
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1537]
-- pci: ["3.5.1", "7.2.1", "7.3.1"]
-- why: Every AWS account in the world can now copy this disk or start machines from this image, with all files, keys
--   and data on it. Strangers look through such lists all the time.
-- response: Take the permission away at once, and treat everything on the disk as known to others. Look for copies in
--   ec2.snapshot_taken_by_other_account.
-- false_positives: a vendor who publishes images on purpose
-- blind_spots: images and snapshots that were public before the window; copies of images leave no event here
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyImageAttribute', 'ModifySnapshotAttribute')
  AND any_match(
      COALESCE(
          TRY_CAST(json_extract(request_parameters, '$.launchPermission.add.items') AS ARRAY(JSON)),
          TRY_CAST(json_extract(request_parameters, '$.createVolumePermission.add.items') AS ARRAY(JSON))
      ),
      receiver -> json_extract_scalar(receiver, '$.group') = 'all'
  )
