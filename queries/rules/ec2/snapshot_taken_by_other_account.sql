-- title: A shared disk snapshot was taken by another account
-- kind: match
-- severity: medium
-- per: resource
-- hands: same
-- attack: [T1537, T1578.001]
-- pci: ["3.5.1", "7.2.1", "10.2.1.1"]
-- why: A snapshot that this account shares was copied or made into a disk by an account it is shared with. What is on
--   it is in the hands of whoever owns that account, and cannot be called back.
-- response: See with whom the snapshot is shared, and who did that (ec2.image_or_snapshot_shared). If the account is
--   not yours, treat every key and all data on the disk as stolen.
-- false_positives: accounts that share images or backups by agreement, each time they are used
-- blind_spots: who took it, which the log does not say; single blocks read through the interface for snapshots, which
--   are data events
SELECT *,
    COALESCE(json_extract_scalar(extra, '$.serviceEventDetails.snapshotId'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('SharedSnapshotCopyInitiated', 'SharedSnapshotVolumeCreated')
