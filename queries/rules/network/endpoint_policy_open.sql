-- title: Policy of a private endpoint opened
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.007, T1537]
-- pci: ["1.3.2", "1.4.4", "7.2.1"]
-- why: The policy of a VPC endpoint keeps machines inside from carrying data to buckets and accounts of others. This
--   one now lets everybody do everything through it.
-- response: Put the old policy back. Look in the data events of S3 for writes through this endpoint to buckets that are
--   not yours.
-- false_positives: a test whether the policy is what breaks an application
-- blind_spots: endpoints made without a policy, which are as open; policies opened to a foreign account by name
SELECT *,
    json_extract_scalar(request_parameters, '$.ModifyVpcEndpointRequest.VpcEndpointId') AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name = 'ModifyVpcEndpoint'
  AND (
      json_extract_scalar(request_parameters, '$.ModifyVpcEndpointRequest.ResetPolicy') = 'true'
      OR any_match(
          ARRAY[TRY(json_extract(
              json_parse(json_extract_scalar(request_parameters, '$.ModifyVpcEndpointRequest.PolicyDocument')),
              '$.Statement'
          ))],
          statements -> any_match(
              COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
              statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
                  AND json_extract(statement, '$.Condition') IS NULL
                  AND regexp_like(json_format(json_extract(statement, '$.Action')), '"\*"')
                  AND regexp_like(json_format(json_extract(statement, '$.Resource')), '"\*"')
                  AND regexp_like(json_format(json_extract(statement, '$.Principal')), '"\*"')
          )
      )
  )
