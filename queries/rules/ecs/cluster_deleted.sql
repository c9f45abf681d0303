-- title: Cluster deleted
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1485, T1489]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: A cluster can only be deleted once nothing runs in it, so this is the end of a clean-up or of a destruction. Who
--   hid miners in a cluster of their own also leaves this way.
-- response: Ask whether it was planned. If nobody knows the cluster, read who made it and what ran there; if it was
--   yours, look for the services deleted before it.
-- false_positives: test environments that come and go
-- blind_spots: what ran in the cluster before the window
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name = 'DeleteCluster'
