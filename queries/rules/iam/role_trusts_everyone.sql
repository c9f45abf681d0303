-- title: Role opened to every AWS account
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.3.1", "10.2.1.5"]
-- why: The trust policy of this role accepts any AWS identity in the world without a condition. Anyone who knows or
--   guesses the name of the role can take its rights.
-- response: Set the trust policy to the principals that need the role, revoke its active sessions, and look for
--   AssumeRole events of this role by accounts you do not know.
-- false_positives: none known; a role that everyone may assume has no good use
-- blind_spots: a condition that is always true (iam.role_trusts_other_account shows trust under a condition)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('CreateRole', 'UpdateAssumeRolePolicy')
  AND any_match(
      ARRAY[
          json_extract(
              lower(COALESCE(
                  json_extract_scalar(request_parameters, '$.assumeRolePolicyDocument'),
                  json_extract_scalar(request_parameters, '$.policyDocument')
              )),
              '$.statement'
          )
      ],
      statements -> any_match(
          COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
          statement -> json_extract_scalar(statement, '$.effect') = 'allow'
              AND COALESCE(json_format(json_extract(statement, '$.condition')), '{}') = '{}'
              AND (
                  json_extract_scalar(statement, '$.principal') = '*'
                  OR regexp_like(json_format(json_extract(statement, '$.principal.aws')), '"\*"')
                  OR json_extract(statement, '$.notprincipal') IS NOT NULL
              )
      )
  )
