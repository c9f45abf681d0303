-- title: Service deleted
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1489, T1485]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: A service was deleted, and with it every task it kept alive. What it did for others is gone until somebody makes
--   it again.
-- response: Ask whether it was to be retired. If not, create it again from its code, and look at what else the same
--   principal deleted.
-- false_positives: a service retired or made anew under another name
-- blind_spots: what the service was; a stack deleted as a whole, which cloudformation.amazonaws.com records
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('DeleteService', 'DeleteExpressGatewayService')
