-- title: DNS query log switched off
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.7.2"]
-- why: The names that workloads look up tell where they talk to, and which of them reach for an attacker's server. That
--   record stops here.
-- response: Create the query log again and associate it with the same VPCs.
-- false_positives: a VPC taken down by infrastructure code
-- blind_spots: workloads that ask name servers other than the VPC's own
SELECT *
FROM cloudtrail_events
WHERE event_source = 'route53resolver.amazonaws.com'
  AND event_name IN ('DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig')
  AND COALESCE(invoked_by, '') <> 'cloudformation.amazonaws.com'
