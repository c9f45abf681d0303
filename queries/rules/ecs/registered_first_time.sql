-- title: Principal registered its first task definition
-- kind: first_seen
-- severity: medium
-- attack: [T1610]
-- pci: ["6.5.1", "10.2.1.7", "11.5.1"]
-- why: Task definitions come from the same few pipelines and people. This principal never made one before, and one is
--   enough to run any program with any role it may pass.
-- response: Read the definition, above all its image, command and role. If its owner does not know it, deregister it
--   and stop what runs of it.
-- false_positives: a new member of the team; a pipeline that was moved
-- blind_spots: principals of whom the baseline knows nothing, such as new roles
SELECT *,
    'ecs:RegisterTaskDefinition' AS resource
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND hand <> 'service'
