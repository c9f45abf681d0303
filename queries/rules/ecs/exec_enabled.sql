-- title: Shells into containers allowed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1609]
-- pci: ["2.2.4", "7.2.5", "8.6.1"]
-- why: Tasks started from here on accept ECS Exec. Who may call it gets a shell in them, with the rights of the task
--   and sight of its secrets. An intruder switches it on just before using it.
-- response: Ask who needs the shell and until when. Switch it off again with a new deployment, and look for shells
--   opened meanwhile (ecs.execute_command).
-- false_positives: test environments, where developers are allowed to look inside
-- blind_spots: services made with it before the window; shells by way of the host, which do not need it
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('CreateService', 'UpdateService', 'RunTask', 'StartTask', 'CreateDaemon', 'UpdateDaemon')
  AND json_extract_scalar(request_parameters, '$.enableExecuteCommand') = 'true'
