-- title: Task on the host's network
-- kind: match
-- severity: low
-- yields_to: [ecs.privileged_container]
-- per: resource
-- attack: [T1611, T1552.005]
-- pci: ["1.4.1", "2.2.4"]
-- why: The containers of this task share the network of the host. They have no security group of their own, every port
--   of the host, and its metadata service, which hands out the rights of the host.
-- response: Ask the owner of the family why awsvpc does not do. Where it must be, forbid tasks the metadata service of
--   the host (IMDSv2 with a hop limit of 1 does not reach that far).
-- false_positives: monitoring and network agents that run once on every host
-- blind_spots: bridge mode, which reaches the metadata service as well unless the host forbids it
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND json_extract_scalar(request_parameters, '$.networkMode') = 'host'
