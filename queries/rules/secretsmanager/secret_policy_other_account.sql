-- title: Secret opened to another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: your own or vendors' accounts that may read secrets}
-- attack: [T1537, T1555.006]
-- pci: ["7.2.1", "7.2.2", "8.6.3"]
-- why: The resource policy of this secret now names another AWS account. That account can read the value whenever it
--   likes, and changing the value does not shut it out.
-- response: Check that the account is yours or a vendor's under contract. Otherwise remove it from the policy first,
--   then change the value, and look for reads whose principal belongs to that account.
-- false_positives: secrets shared with another account of the organization; name those in known_accounts
-- blind_spots: accounts let in by a condition alone, or hidden behind a principal's unique id; an old grant that an
--   edit of the policy leaves in place is reported once more
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'PutResourcePolicy'
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.resourcePolicy')), '$.statement')],
      statements -> any_match(
          COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
          statement -> json_extract_scalar(statement, '$.effect') = 'allow'
              AND any_match(
                  regexp_extract_all(
                      json_format(json_extract(statement, '$.principal.aws')),
                      '"(?:arn:[^:"]*:(?:iam|sts)::)?([0-9]{12})[":]',
                      1
                  ),
                  account -> account <> account_id AND account NOT IN (:known_accounts)
              )
      )
  )
