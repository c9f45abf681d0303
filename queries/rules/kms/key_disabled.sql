-- title: Encryption key disabled or set to be deleted
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1485, T1489]
-- pci: ["3.7.5", "10.2.1.7"]
-- cis: ["3.0/4.7", "7.0/5.7"]
-- why: Without this key nothing encrypted with it can be read, secrets, images, logs and backups included. After
--   deletion there is no way back.
-- response: Cancel the deletion or enable the key again if the owner does not know of it (CancelKeyDeletion leaves at
--   least seven days). Find what is encrypted with it, then look into the principal.
-- false_positives: planned retirement of a key; test stacks taken down by infrastructure code
-- blind_spots: a key policy or grant change that shuts everybody out
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name IN ('DisableKey', 'ScheduleKeyDeletion', 'DeleteImportedKeyMaterial')
  AND COALESCE(invoked_by, '') <> 'cloudformation.amazonaws.com'
