-- title: Person started a task by hand
-- kind: match
-- severity: low
-- yields_to: [ecs.role_overridden, ecs.command_overridden, ecs.exec_enabled, ecs.public_ip_assigned]
-- per: resource
-- attack: [T1610]
-- pci: ["10.2.1.2", "10.2.1.7"]
-- why: Tasks are started by services, schedules and pipelines; here a person did it. That is how trials begin, and how
--   somebody runs their own work at your cost.
-- response: Ask the person what ran and whether it still does. It weighs more where the task definition is as new as
--   the call.
-- false_positives: repairs and trials, above all in test accounts
-- blind_spots: people behind a script's user agent, of whom the log cannot tell
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RunTask', 'StartTask')
  AND hand = 'person'
