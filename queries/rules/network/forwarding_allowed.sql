-- title: Machine allowed to pass on other machines' traffic
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1557, T1090.001]
-- pci: ["1.2.5", "1.4.1", "1.4.2"]
-- why: EC2 drops packets that are not from or for the machine itself, until this check is switched off. Without it one
--   machine can be a router, and with a route to it read and change the traffic of a whole subnet.
-- response: See whether the machine is a known NAT instance, firewall or node. If not, switch the check on, and look
--   for routes that point to its interface.
-- false_positives: NAT instances, VPN and firewall appliances; Kubernetes nodes with a network of their own for pods
-- blind_spots: interfaces made or instances launched without the check
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.networkInterfaceId'),
        json_extract_scalar(request_parameters, '$.instanceId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyNetworkInterfaceAttribute', 'ModifyInstanceAttribute')
  AND 'false' IN (
      json_extract_scalar(request_parameters, '$.sourceDestCheck'),
      json_extract_scalar(request_parameters, '$.sourceDestCheck.value'),
      IF(
          json_extract_scalar(request_parameters, '$.attribute') = 'sourceDestCheck',
          json_extract_scalar(request_parameters, '$.value')
      )
  )
