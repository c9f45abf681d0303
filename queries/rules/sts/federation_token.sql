-- title: Long-lived key turned into a federated session
-- kind: match
-- severity: medium
-- attack: [T1550.001, T1078.004]
-- pci: ["8.2.1", "8.6.1", "10.2.1.5"]
-- why: GetFederationToken makes a session from a user's key that goes on working, console included, after the key has
--   been deactivated. Few programs use it today; intruders use it to stay.
-- response: Ask the owner of the user. To end such sessions, attach a policy to the user that denies everything before
--   now (aws:TokenIssueTime), since deactivating the key is not enough.
-- false_positives: an older portal of your own that signs users in to the console
-- blind_spots: what the session may do, which is the user's rights cut down by the policy in the request
SELECT *
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'GetFederationToken'
  AND invoked_by IS NULL
