-- title: Principal changed the network for the first time
-- kind: first_seen
-- severity: low
-- attack: [T1562.007, T1078.004]
-- pci: ["1.2.2", "10.2.1.2"]
-- why: Somebody who never touched security groups, network ACLs, routes or gateways before did so now. Few people do
--   this in their work, so a new one among them is a new duty or a stolen key.
-- response: Ask the principal's owner. Read what was opened or closed, and what the same principal did for the first
--   time that day.
-- false_positives: a new colleague of the network team; a rare repair; a role renamed
-- blind_spots: principals unknown to the baseline; pipelines and services, which are left out here
SELECT *, 'network controls' AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN (
      'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress',
      'RevokeSecurityGroupEgress', 'ModifySecurityGroupRules', 'CreateNetworkAclEntry', 'ReplaceNetworkAclEntry',
      'DeleteNetworkAclEntry', 'ReplaceNetworkAclAssociation', 'CreateRoute', 'ReplaceRoute', 'DeleteRoute',
      'AttachInternetGateway', 'CreateNatGateway', 'DeleteNatGateway', 'CreateVpcPeeringConnection',
      'AcceptVpcPeeringConnection', 'CreateTransitGatewayVpcAttachment', 'ModifyVpcEndpoint', 'DeleteVpcEndpoints'
  )
  AND hand NOT IN ('service', 'automation')
