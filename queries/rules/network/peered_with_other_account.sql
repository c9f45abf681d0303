-- title: Network joined to one of another account
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1599, T1537]
-- pci: ["1.2.5", "1.4.1", "1.4.2"]
-- cis: ["3.0/4.14", "7.0/5.14"]
-- why: A peering or transit gateway ties this network to a network that somebody else's account owns. Once routes point
--   there, machines on both sides talk to each other without touching the internet.
-- response: Find out whose account it is. If nobody here knows it, delete the peering or attachment and its routes, and
--   look in the flow records for what went over it.
-- false_positives: accounts of the same organization, partners under contract; name them in an allowlist
-- blind_spots: whether the other account is one of yours, which the log does not say; networks joined by a gateway that
--   was shared with the whole organization
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.peerOwnerId'),
        json_extract_scalar(response_elements, '$.vpcPeeringConnection.requesterVpcInfo.ownerId'),
        json_extract_scalar(request_parameters, '$.CreateTransitGatewayPeeringAttachmentRequest.PeerAccountId'),
        json_extract_scalar(request_parameters, '$.vpcPeeringConnectionId'),
        json_extract_scalar(
            request_parameters, '$.AcceptTransitGatewayPeeringAttachmentRequest.TransitGatewayAttachmentId'
        ),
        json_extract_scalar(
            request_parameters, '$.AcceptTransitGatewayVpcAttachmentRequest.TransitGatewayAttachmentId'
        ),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('CreateVpcPeeringConnection', 'AcceptVpcPeeringConnection',
                     'CreateTransitGatewayPeeringAttachment', 'AcceptTransitGatewayPeeringAttachment',
                     'AcceptTransitGatewayVpcAttachment')
  AND (
      json_extract_scalar(request_parameters, '$.peerOwnerId') <> account_id
      OR event_name = 'AcceptVpcPeeringConnection'
      AND COALESCE(json_extract_scalar(response_elements, '$.vpcPeeringConnection.requesterVpcInfo.ownerId'), '')
          <> account_id
      OR json_extract_scalar(request_parameters, '$.CreateTransitGatewayPeeringAttachmentRequest.PeerAccountId')
          <> account_id
      OR event_name IN ('AcceptTransitGatewayPeeringAttachment', 'AcceptTransitGatewayVpcAttachment')
  )
