-- title: Task started with another role than its own
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1548.005, T1078.004]
-- pci: ["7.2.5", "10.2.1.2", "10.2.1.5"]
-- why: The call that started this task put another role in place of the one its definition names. It is a way to use a
--   role that one may pass but not take, without leaving a new task definition.
-- response: Compare the two roles and ask who started the task. If nobody knows, stop the task, revoke the role's
--   sessions named after it, and read what they did.
-- false_positives: a scheduler that runs one task definition for many tenants, each with a role
-- blind_spots: what the role may do; another role in a new revision (ecs.task_role_changed)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RunTask', 'StartTask')
  AND COALESCE(
      json_extract_scalar(request_parameters, '$.overrides.taskRoleArn'),
      json_extract_scalar(request_parameters, '$.overrides.executionRoleArn'),
      ''
  ) <> ''
  AND hand <> 'service'
