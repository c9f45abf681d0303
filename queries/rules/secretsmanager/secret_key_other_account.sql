-- title: Secret encrypted with a key of another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own whose keys may encrypt secrets}
-- attack: [T1486]
-- pci: ["3.6.1", "3.7.1", "10.2.1.7"]
-- why: The owner of the key decides who can read what is encrypted with it. Whoever encrypts your secrets with a key of
--   their own can take them away from you, and ask money for them.
-- response: Find out whose account it is. If nobody knows, set your own key again while the other one still works, and
--   look for other things that the same principal encrypted.
-- false_positives: organizations that keep all keys in one account; name it in known_accounts
-- blind_spots: a key named by its id or alias, which is one of the same account; a key of your own that is imported, or
--   whose policy shuts you out
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name IN ('UpdateSecret', 'CreateSecret', 'ReplicateSecretToRegions')
  AND any_match(
      regexp_extract_all(request_parameters, '"kmsKeyId"\s*:\s*"arn:[^:"]*:kms:[^:"]*:([0-9]{12}):', 1),
      account -> account <> account_id AND account NOT IN (:known_accounts)
  )
