-- title: Role opened to another AWS account
-- kind: match
-- severity: high
-- yields_to: [iam.role_trusts_everyone]
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own or of vendors that may be trusted}
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: The trust policy of this role now accepts identities of another AWS account. It is a door that stays open after
--   every key and password of this account has been changed.
-- response: Check that the account belongs to you or to a vendor under contract and that an external id is required.
--   Otherwise remove the account from the trust policy, revoke the role's sessions, and read what the role did since.
-- false_positives: a new vendor integration, or deployment roles that trust the organization's tooling account; name
--   those in known_accounts
-- blind_spots: trust in SAML and OpenID providers; accounts hidden behind a principal's unique id
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
              AND (
                  any_match(
                      regexp_extract_all(
                          json_format(json_extract(statement, '$.principal.aws')),
                          '"(?:arn:[^:"]*:(?:iam|sts)::)?([0-9]{12})[":]',
                          1
                      ),
                      account -> account <> account_id AND account NOT IN (:known_accounts)
                  )
                  OR (
                      COALESCE(json_format(json_extract(statement, '$.condition')), '{}') <> '{}'
                      AND (
                          json_extract_scalar(statement, '$.principal') = '*'
                          OR regexp_like(json_format(json_extract(statement, '$.principal.aws')), '"\*"')
                      )
                  )
              )
      )
  )
