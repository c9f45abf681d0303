-- title: Policy written that allows everything
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- cis: ["3.0/4.4", "7.0/5.4"]
-- why: The text of this policy allows every action, or all of IAM, on every resource. Whoever carries it owns the
--   account, and unlike the AWS policy of that name it is easily overlooked in a list of policies.
-- response: Find who carries the policy (for an inline policy the user, group or role shown; for a managed one its
--   attachments), take it away or restore the former version, then read what they did in between.
-- false_positives: a sandbox account whose users are meant to be administrators
-- blind_spots: SetDefaultPolicyVersion, which brings back an old text by its number; documents over 100 KB, which AWS
--   leaves out of the log; sets of narrower rights that add up to the same
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
              -- a value or a list of values: in its JSON text each stands between quotes
              AND (
                  regexp_like(json_format(json_extract(statement, '$.action')), '"(\*+|\*+:\*+|iam:\*+)"')
                  OR NOT regexp_like(json_format(json_extract(statement, '$.notaction')), '"(\*|iam:)')
              )
              AND (
                  regexp_like(json_format(json_extract(statement, '$.resource')), '"\*+"')
                  OR json_extract(statement, '$.notresource') IS NOT NULL
              )
      )
  )
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
