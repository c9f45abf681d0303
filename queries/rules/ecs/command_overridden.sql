-- title: Person started a task with a command of their own
-- kind: match
-- severity: medium
-- yields_to: [ecs.role_overridden, ecs.credentials_endpoint_command]
-- per: resource
-- attack: [T1610, T1609]
-- pci: ["7.2.5", "8.6.1", "10.2.1.2"]
-- why: A person ran an image of yours with another command than its own, with the task's role and secrets. It does what
--   a shell in the container would do, and ECS Exec need not be allowed for it.
-- response: Read the command in the event and ask the person what it was for. If nobody knows, stop the task and change
--   the secrets it was given.
-- false_positives: database migrations and repairs that are run by hand
-- blind_spots: overrides that AWS hid in the log; what a script of the image did; pipelines, which do this daily
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RunTask', 'StartTask')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.overrides.containerOverrides') AS ARRAY(JSON)),
      container -> json_array_length(json_extract(container, '$.command')) > 0
  )
  AND hand = 'person'
