-- title: Database given a public address
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1213.006, T1133]
-- pci: ["1.3.1", "1.4.4"]
-- why: The database gets an address on the internet, so only its security group and its passwords keep strangers out.
--   To restore a copy with a public address is also how a thief reads a database that is not reachable.
-- response: Take the public address away. For a restored copy, find out who needs it, and delete it if nobody does.
-- false_positives: a test database; a security group that lets only the office in
-- blind_spots: what the security group lets in (network.security_group_open tells of changes); addresses given by the
--   default of a subnet
SELECT *
FROM cloudtrail_events
WHERE event_source = 'rds.amazonaws.com'
  AND event_name IN (
      'ModifyDBInstance', 'CreateDBInstance', 'CreateDBInstanceReadReplica', 'CreateDBCluster',
      'RestoreDBInstanceFromDBSnapshot', 'RestoreDBInstanceToPointInTime', 'RestoreDBInstanceFromS3',
      'RestoreDBClusterFromSnapshot', 'RestoreDBClusterToPointInTime'
  )
  AND COALESCE(
      json_extract_scalar(request_parameters, '$.publiclyAccessible'),
      json_extract_scalar(response_elements, '$.publiclyAccessible')
  ) = 'true'
  AND (
      event_name <> 'ModifyDBInstance'  -- its answer says true of what was public before
      OR json_extract_scalar(request_parameters, '$.publiclyAccessible') = 'true'
  )
