-- title: Instances may hand out credentials without a token
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1552.005]
-- pci: ["2.2.6", "10.2.1.7"]
-- why: The old metadata service (IMDSv1) is allowed again. With it a web page that can be made to fetch an address
--   gives away the credentials of the instance's role.
-- response: Require tokens again. Find what needed the old service and bring it up to date.
-- false_positives: old software that knows no tokens
-- blind_spots: instances launched with the old service; images that allow it
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.ModifyInstanceMetadataOptionsRequest.InstanceId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyInstanceMetadataOptions', 'ModifyInstanceMetadataDefaults')
  AND COALESCE(
      json_extract_scalar(request_parameters, '$.ModifyInstanceMetadataOptionsRequest.HttpTokens'),
      json_extract_scalar(request_parameters, '$.ModifyInstanceMetadataDefaultsRequest.HttpTokens'),
      json_extract_scalar(request_parameters, '$.httpTokens')
  ) = 'optional'
