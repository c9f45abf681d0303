-- title: Record of container shells switched off
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.2", "10.2.1.6", "8.6.1"]
-- why: The cluster no longer keeps what is typed in ECS Exec sessions. CloudTrail shows only that a shell was opened,
--   so from here on nobody can tell what was done in it.
-- response: Set the cluster's executeCommandConfiguration to a log group or bucket again, and read the ECS Exec calls
--   made while it was off (ecs.execute_command).
-- false_positives: a test cluster that was made without it
-- blind_spots: a cluster that never kept a record; deletion of the log group (logging.log_group_deleted)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('CreateCluster', 'UpdateCluster')
  AND json_extract_scalar(request_parameters, '$.configuration.executeCommandConfiguration.logging') = 'NONE'
