-- title: Policy written that allows all of a sensitive service
-- kind: match
-- severity: medium
-- yields_to: [iam.admin_policy_written]
-- per: resource
-- params:
--   services:
--     type: array(varchar)
--     default: [ecs, kms, organizations, secretsmanager, ssm, sso, sts]
--     about: services of which nobody should be allowed everything, as actions name them
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "7.2.5"]
-- cis: ["3.0/4.4", "7.0/5.4"]
-- why: The text of this policy allows every action of a service that holds secrets or opens doors, or lets its bearer
--   change what IAM users and roles may do. From rights like these it is one step to the whole account.
-- response: Ask what the rights are for, and cut them down to the calls and resources that are needed. If nobody asked
--   for them, take the policy away and read what its bearers did since.
-- false_positives: the role of a deployment pipeline, or of the team that runs the service
-- blind_spots: the same rights listed one by one; texts that allow everything, which iam.admin_policy_written shows
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'sso.amazonaws.com')
  AND event_name IN (
      'PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'CreatePolicy', 'CreatePolicyVersion',
      'PutInlinePolicyToPermissionSet'
  )
  AND any_match(
      ARRAY[
          json_extract(
              lower(COALESCE(
                  json_extract_scalar(request_parameters, '$.policyDocument'),
                  json_extract_scalar(request_parameters, '$.inlinePolicy')
              )),
              '$.statement'
          )
      ],
      statements -> any_match(
          COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
          statement -> json_extract_scalar(statement, '$.effect') = 'allow'
              AND regexp_like(json_format(json_extract(statement, '$.resource')), '"\*+"')
              AND (
                  any_match(
                      regexp_extract_all(json_format(json_extract(statement, '$.action')), '"([a-z0-9-]+):\*+"', 1),
                      service -> service IN (:services)
                  )
                  OR regexp_like(
                      json_format(json_extract(statement, '$.action')),
                      '"iam:(attach|put|set|update|create|add|delete|pass)'
                          || '(\*|user|role|group|policy|login|access|assume|default)[a-z*]*"'
                  )
              )
      )
  )
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
