-- title: Public address given to a running machine
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1562.007]
-- pci: ["1.4.2", "1.4.5"]
-- why: A machine that could not be reached from the internet got an address there. With a security group that is open,
--   and a route, it can be reached now.
-- response: See whether it was meant to be public. If not, take the address away and look in the flow records for
--   traffic from public addresses.
-- false_positives: an address moved from a broken machine to its spare; a NAT instance or appliance
-- blind_spots: addresses given at launch (assignPublicIp, the subnet's setting)
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.networkInterfaceId'),
        json_extract_scalar(request_parameters, '$.instanceId'),
        json_extract_scalar(request_parameters, '$.allocationId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('AssociateAddress', 'ModifyNetworkInterfaceAttribute')
  AND (
      event_name = 'AssociateAddress'
      OR json_extract_scalar(request_parameters, '$.associatePublicIpAddress') = 'true'
      OR json_extract_scalar(request_parameters, '$.associatePublicIpAddress.value') = 'true'
  )
  AND hand <> 'service'  -- a NAT gateway gets its address like this, and a load balancer
