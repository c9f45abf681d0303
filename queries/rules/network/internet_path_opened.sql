-- title: Network connected to the internet
-- kind: match
-- severity: medium
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.3.2", "1.4.1"]
-- cis: ["3.0/4.12", "3.0/4.13", "7.0/5.12", "7.0/5.13"]
-- why: A VPC got an internet gateway, or a route table a way through one. Machines in those subnets that have a public
--   address can be reached from outside, and reach it, from that moment.
-- response: Compare with the network's plan. Take back the route if the subnet was meant to be private, and look in the
--   flow records for traffic with public addresses since.
-- false_positives: a public subnet being built by hand
-- blind_spots: which subnets use the route table; ways out over a NAT gateway, a peering or a transit gateway
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.routeTableId'),
        json_extract_scalar(request_parameters, '$.vpcId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('AttachInternetGateway', 'CreateRoute', 'ReplaceRoute')
  AND (
      event_name = 'AttachInternetGateway'
      OR json_extract_scalar(request_parameters, '$.gatewayId') LIKE 'igw-%'
      AND (
          -- two halves of the world are a default route, too
          regexp_like(json_extract_scalar(request_parameters, '$.destinationCidrBlock'), '/[0-7]$')
          OR regexp_like(json_extract_scalar(request_parameters, '$.destinationIpv6CidrBlock'), '/[0-3]$')
      )
  )
