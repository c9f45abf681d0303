-- title: VPC flow log deleted
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.7.2"]
-- cis: ["3.0/3.7", "7.0/4.7"]
-- why: Nobody sees any more which connections that network made or refused. A flow log cannot be changed, only deleted,
--   so this is the one way to stop it.
-- response: Create the flow log again with the same format, and take the time until then as unobserved.
-- false_positives: a flow log replaced by one with more fields; a VPC taken down by infrastructure code
-- blind_spots: loss of records further on, in the log group or bucket
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name = 'DeleteFlowLogs'
  AND COALESCE(invoked_by, '') <> 'cloudformation.amazonaws.com'
