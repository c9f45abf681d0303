-- title: Encryption key opened to every AWS account
-- kind: match
-- severity: high
-- hands: same
-- per: resource
-- attack: [T1537, T1098]
-- pci: ["3.6.1", "3.7.1", "7.2.1", "7.3.1"]
-- why: The policy of this key accepts any AWS identity without a condition. Whoever gets a copy of anything encrypted
--   with it, a snapshot or a backup, can read it in an account of their own.
-- response: Write the policy anew with the principals that need the key, and look for uses of the key by accounts that
--   are not yours. What they could decrypt counts as read.
-- false_positives: none known
-- blind_spots: a condition that is always true; grants (kms.grant_to_other_account)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name IN ('PutKeyPolicy', 'CreateKey', 'ReplicateKey')
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.policy')), '$.statement')],
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
