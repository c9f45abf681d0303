-- title: Things made in a region that was not used before
-- kind: first_seen
-- first_for: account
-- severity: medium
-- attack: [T1535]
-- pci: ["10.2.1.7", "11.5.1", "12.10.5"]
-- why: Something was started in a region where the account had nothing. Intruders go where nobody looks, to run miners
--   or to keep machines, and the bill is often the first to tell.
-- response: Ask the principal why there. If nobody knows, look at everything that runs in that region, stop it, and
--   forbid regions that you do not use by a policy of the organization.
-- false_positives: a planned move; a service that exists in few regions
-- blind_spots: regions without a trail; calls that only read
SELECT *,
    aws_region AS resource
FROM cloudtrail_events
WHERE event_name IN (
      'RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet', 'CreateLaunchTemplate',
      'CreateAutoScalingGroup', 'CreateKeyPair', 'ImportKeyPair', 'CreateSecurityGroup', 'CreateVpc', 'RunTask',
      'CreateService', 'RegisterTaskDefinition', 'CreateCluster', 'CreateFunction20150331', 'CreateStack',
      'CreateBucket', 'CreateDBInstance', 'RestoreDBInstanceFromDBSnapshot', 'CreateSnapshot', 'CopySnapshot',
      'CopyImage', 'CreateNotebookInstance', 'CreateTrainingJob', 'SubmitJob', 'CreateInstances', 'CreateWorkspaces'
  )
  AND hand <> 'service'
