-- title: First shell in the containers of a cluster
-- kind: first_seen
-- severity: high
-- attack: [T1609, T1651]
-- pci: ["8.6.1", "10.2.1.2", "11.5.1"]
-- why: This principal never opened a shell in a container of this cluster before, and now did. Those who debug do it
--   every week; a stolen key does it for the first time.
-- response: Ask the owner of the principal for the reason. If there is none, replace the task and its secrets, revoke
--   the sessions of the principal and of the task's role, and read the record of the shell, where one is kept.
-- false_positives: somebody new on call; a new cluster
-- blind_spots: what was typed; principals of whom the baseline knows nothing, which ecs.execute_command shows
SELECT *,
    COALESCE(regexp_extract(json_extract_scalar(request_parameters, '$.cluster'), '[^/]+$'), 'default') AS resource
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name = 'ExecuteCommand'
