-- title: Image or disk snapshot given to another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own or of vendors that may get them}
-- attack: [T1537]
-- pci: ["3.5.1", "7.2.1", "7.2.2"]
-- why: Another AWS account can now copy this disk or start machines from this image, with all files, keys and data on
--   it. This is the usual way to carry disks out of an account, since nothing passes through a network that is watched.
-- response: Check whose account it is. If it is not yours, take the permission away, look for copies in
--   ec2.snapshot_taken_by_other_account, and treat everything on the disk as stolen.
-- false_positives: an account for images or backups that shares with its sisters; name them in known_accounts
-- blind_spots: sharing with a whole organization; copies of images leave no event here; machines exported to S3
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyImageAttribute', 'ModifySnapshotAttribute')
  AND any_match(
      COALESCE(
          TRY_CAST(json_extract(request_parameters, '$.launchPermission.add.items') AS ARRAY(JSON)),
          TRY_CAST(json_extract(request_parameters, '$.createVolumePermission.add.items') AS ARRAY(JSON))
      ),
      receiver -> json_extract_scalar(receiver, '$.userId') <> account_id
          AND json_extract_scalar(receiver, '$.userId') NOT IN (:known_accounts)
  )
