-- title: Use of a key granted to another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: your own or vendors' accounts that may use keys}
-- attack: [T1098, T1537]
-- pci: ["3.6.1", "3.7.1", "7.2.1"]
-- why: A grant lets an identity of another account use this key, and stands in no policy, so reviews of policies do not
--   see it. It lasts until somebody takes it back.
-- response: Find out whose account it is. If nobody knows, revoke the grant (ListGrants, RevokeGrant) and look for data
--   that was shared with that account.
-- false_positives: images and backups encrypted with a key that several accounts of the organization use; name those in
--   known_accounts
-- blind_spots: grants to identities of the own account; grants passed on by their holder, which is recorded in its
--   account
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name = 'CreateGrant'
  AND any_match(
      regexp_extract_all(
          json_extract_scalar(request_parameters, '$.granteePrincipal'), '^arn:[^:]*:(?:iam|sts)::([0-9]{12}):', 1
      ),
      account -> account <> account_id AND account NOT IN (:known_accounts)
  )
