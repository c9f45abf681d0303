-- title: Block on public access to the network removed
-- kind: match
-- severity: high
-- attack: [T1562.007]
-- pci: ["1.2.8", "1.4.1", "1.4.2"]
-- why: VPC Block Public Access holds back the internet whatever route tables and security groups say. Without it, or
--   with a VPC taken out of it, every old mistake in those becomes open again.
-- response: Block again and delete the exclusion. List what has a public address and an open group in that region, and
--   look in the flow records for connections since.
-- false_positives: a VPC that is to serve the public, taken out by the network team
-- blind_spots: the log does not say whether the block was on before
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.CreateVpcBlockPublicAccessExclusionRequest.VpcId'),
        json_extract_scalar(request_parameters, '$.CreateVpcBlockPublicAccessExclusionRequest.SubnetId'),
        json_extract_scalar(request_parameters, '$.ModifyVpcBlockPublicAccessExclusionRequest.ExclusionId'),
        aws_region
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyVpcBlockPublicAccessOptions', 'CreateVpcBlockPublicAccessExclusion',
                     'ModifyVpcBlockPublicAccessExclusion')
  AND (
      regexp_like(request_parameters, '"[Ii]nternetGatewayBlockMode"\s*:\s*"off"')
      OR regexp_like(request_parameters, '"[Ii]nternetGatewayExclusionMode"\s*:\s*"allow-bidirectional"')
  )
