-- title: Database snapshot given to another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of yours or of vendors that may get snapshots}
-- attack: [T1537, T1213.006]
-- pci: ["3.5.1", "7.2.1", "7.2.2"]
-- why: Another AWS account can now restore this copy of a database and read all of it. Nothing passes through a network
--   that is watched, so this is how whole databases are stolen.
-- response: Check whose account it is. If it is not yours, take the permission away and treat the whole content as
--   stolen. See who made the snapshot, and of which database.
-- false_positives: a backup or test account that gets copies by agreement; name it in known_accounts
-- blind_spots: what others restored from it leaves no event here; snapshots exported to S3
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'rds.amazonaws.com'
  AND event_name IN ('ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.valuesToAdd') AS ARRAY(VARCHAR)),
      receiver -> receiver <> 'all' AND receiver <> account_id AND receiver NOT IN (:known_accounts)
  )
