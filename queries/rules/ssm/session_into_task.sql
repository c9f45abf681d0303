-- title: Shell opened in a container past ECS Exec
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1609, T1021.007]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: Session Manager was pointed straight at an ECS task. The shell is the same as with ECS Exec, but the cluster's
--   record of what is typed, and rights that only cover ecs:ExecuteCommand, are bypassed.
-- response: Treat it like an ECS Exec session without a record. Ask the principal, replace the task and its secrets if
--   nobody knows, and deny ssm:StartSession on ecs targets.
-- false_positives: port forwarding tools that developers use to reach a database through a task
-- blind_spots: what was typed
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name = 'StartSession'
  AND json_extract_scalar(request_parameters, '$.target') LIKE 'ecs:%'
  AND invoked_by IS NULL  -- ECS Exec itself opens its session this way
