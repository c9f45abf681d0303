-- title: All users and rights of the account read
-- kind: first_seen
-- newcomers: report
-- severity: medium
-- attack: [T1087.004, T1069.003]
-- pci: ["7.2.4", "10.2.1.2", "11.5.1"]
-- why: One call gave this principal every user, role and policy of the account, or the age of every password and key.
--   Auditors ask for it on schedule; this principal never had.
-- response: Ask its owner. If nobody knows, disable the key or revoke the sessions, and expect the weakest role and the
--   oldest key to be tried next.
-- false_positives: a new scanner, or an auditor on their first day
-- blind_spots: the same asked for piece by piece (iam.reconnaissance_sweep)
SELECT *,
    account_id AS resource
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('GetAccountAuthorizationDetails', 'GetCredentialReport')
  AND hand <> 'service'
