-- title: Role taken by an account not seen before
-- kind: first_seen
-- first_for: account
-- severity: medium
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own or of vendors that may take roles}
-- attack: [T1199, T1078.004]
-- pci: ["7.2.1", "8.2.7", "12.8.1", "11.5.1"]
-- why: An identity of another AWS account took a role here, and that account never did before. It is a new vendor, a
--   new account of your own, or a door that somebody made for themselves.
-- response: Find out whose account it is and which role trusts it. If nobody knows, take it out of the trust policy,
--   revoke the role's sessions, and read what they did.
-- false_positives: accounts that the organization opens; name them in known_accounts
-- blind_spots: access to buckets, keys and queues by their own policies, which needs no role
SELECT *,
    principal_account AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'AssumeRole'
  AND principal_account <> account_id
  AND principal_account NOT IN (:known_accounts)
  AND COALESCE(identity_type, '') <> 'AWSService'
