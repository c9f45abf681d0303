-- title: Database snapshot given to everyone
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1537, T1213.006]
-- pci: ["3.5.1", "7.2.1", "7.3.1"]
-- why: Every AWS account in the world can now restore this copy of a database and read all of it.
--   Strangers look through such lists all the time.
-- response: Take the permission away at once, and treat the whole content as known to others, passwords of its users
--   included.
-- false_positives: a published data set
-- blind_spots: snapshots that were public before the window; what others restored from it leaves no event here
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'rds.amazonaws.com'
  AND event_name IN ('ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.valuesToAdd') AS ARRAY(VARCHAR)),
      receiver -> receiver = 'all'
  )
