-- title: Network firewall taken out of the way
-- kind: match
-- severity: high
-- attack: [T1562.007]
-- pci: ["1.2.1", "1.2.8", "10.7.2"]
-- why: A firewall that inspects the network's traffic was deleted, cut off from subnets, given another policy, or
--   robbed of the protection against that. What it used to stop goes through now.
-- response: Put firewall, policy and associations back as they were, and compare the route tables. Take the traffic
--   since then as not inspected.
-- false_positives: a new version of the policy put in place by the network team
-- blind_spots: rules changed inside a rule group or policy that stays; routes led around the firewall
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.firewallName'),
        json_extract_scalar(request_parameters, '$.firewallArn'),
        json_extract_scalar(request_parameters, '$.firewallRuleGroupAssociationId'),
        json_extract_scalar(request_parameters, '$.resourceId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_name IN (
      'DeleteFirewall', 'DisassociateSubnets', 'AssociateFirewallPolicy', 'UpdateFirewallDeleteProtection',
      'UpdateFirewallPolicyChangeProtection', 'UpdateSubnetChangeProtection',
      'DisassociateFirewallRuleGroup', 'UpdateFirewallConfig'
  )
  AND (
      event_source = 'network-firewall.amazonaws.com'
      AND (
          event_name IN ('DeleteFirewall', 'DisassociateSubnets', 'AssociateFirewallPolicy')
          OR json_extract_scalar(request_parameters, '$.deleteProtection') = 'false'
          OR json_extract_scalar(request_parameters, '$.firewallPolicyChangeProtection') = 'false'
          OR json_extract_scalar(request_parameters, '$.subnetChangeProtection') = 'false'
      )
      OR event_source = 'route53resolver.amazonaws.com'
      AND (
          event_name = 'DisassociateFirewallRuleGroup'
          OR json_extract_scalar(request_parameters, '$.firewallFailOpen') = 'ENABLED'
      )
  )
