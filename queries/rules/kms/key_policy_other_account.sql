-- title: Encryption key opened to another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: your own or vendors' accounts that may use keys}
-- attack: [T1537, T1098]
-- pci: ["3.6.1", "3.7.1", "7.2.1", "7.2.2"]
-- why: The policy of this key now names another AWS account. With the key, a snapshot, backup or secret that is shared
--   with that account can be read there, and nothing of it is recorded here but the use of the key.
-- response: Check that the account is yours or a vendor's under contract. Otherwise remove it from the policy, and look
--   for what was shared with it, snapshots and images first.
-- false_positives: keys shared within an organization, for backups or images; name the accounts in known_accounts
-- blind_spots: accounts let in by a condition alone, or hidden behind a principal's unique id; an old grant that an
--   edit of the policy leaves in place is reported once more
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name IN ('PutKeyPolicy', 'CreateKey', 'ReplicateKey')
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.policy')), '$.statement')],
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
