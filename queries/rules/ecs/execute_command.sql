-- title: Command run inside a container
-- kind: match
-- severity: high
-- attack: [T1609, T1651]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: ECS Exec opened a shell or ran a command in a running container, with the rights of the task and sight of its
--   secrets. What was typed is not in CloudTrail.
-- response: Match the call with a support case. Read the session's log in CloudWatch or S3 where the cluster keeps one,
--   and replace the task and its secrets if nobody can say what was done.
-- false_positives: developers debugging in an environment where that is allowed
-- blind_spots: what was typed; shells opened through Session Manager (ssm.session_into_task) or on the host
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name = 'ExecuteCommand'
