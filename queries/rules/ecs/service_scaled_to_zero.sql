-- title: Service scaled to nothing
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1489]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: The service was told to run no task at all, which stops it for everybody who uses it. It is what one does before
--   deleting it, and a quick way to do harm.
-- response: Ask whether the stop was planned. If not, set the count back, and look at what else the same principal
--   stopped or deleted.
-- false_positives: test environments that sleep at night; a service that is being retired
-- blind_spots: a service emptied by a task definition that cannot start, or by Application Auto Scaling
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name = 'UpdateService'
  AND json_extract_scalar(request_parameters, '$.desiredCount') = '0'
  AND hand <> 'service'
