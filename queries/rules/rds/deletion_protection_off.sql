-- title: Database robbed of its protection
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1485, T1490]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: The database can now be deleted by one call, or keeps no backups any more. That comes before a deletion, by its
--   owner or by somebody who wants to do harm.
-- response: Switch the protection on again unless the owner takes the database down. Make a snapshot, and look at what
--   else the principal does.
-- false_positives: a database that is retired; test stacks
-- blind_spots: databases that never had protection; backups deleted one by one
SELECT *
FROM cloudtrail_events
WHERE event_source = 'rds.amazonaws.com'
  AND event_name IN ('ModifyDBInstance', 'ModifyDBCluster')
  AND (
      json_extract_scalar(request_parameters, '$.deletionProtection') = 'false'
      OR json_extract_scalar(request_parameters, '$.backupRetentionPeriod') = '0'
  )
