-- title: Secret opened to every AWS account
-- kind: match
-- severity: critical
-- hands: same
-- per: resource
-- attack: [T1537, T1555.006]
-- pci: ["7.2.1", "7.3.1", "8.6.3"]
-- why: The resource policy of this secret accepts any AWS identity without a condition. Anyone who knows its name can
--   ask for its value from an account of their own.
-- response: Remove the policy or name the principals that need the secret, then change its value. Look for reads by
--   accounts that are not yours.
-- false_positives: none known
-- blind_spots: a policy that names a foreign account; a condition that is always true
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'PutResourcePolicy'
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.resourcePolicy')), '$.statement')],
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
