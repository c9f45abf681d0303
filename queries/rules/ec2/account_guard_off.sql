-- title: Account-wide guard of disks or images switched off
-- kind: match
-- severity: medium
-- attack: [T1562.001, T1537]
-- pci: ["2.2.1", "3.5.1", "10.2.1.7"]
-- why: These settings protect all disks and images of an account in a region, whatever a single one of them says.
--   Without them one wrong call makes a disk public, or a new disk is written in plain text.
-- response: Switch the guard on again. Look for images and snapshots that were shared meanwhile
--   (ec2.image_or_snapshot_public).
-- false_positives: an account that publishes images on purpose
-- blind_spots: accounts that never had the guard
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN (
      'DisableSnapshotBlockPublicAccess', 'DisableImageBlockPublicAccess', 'DisableEbsEncryptionByDefault',
      'DisableAllowedImagesSettings'
  )
