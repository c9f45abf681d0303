-- title: User turned its key into a session for the first time
-- kind: first_seen
-- severity: low
-- attack: [T1550.001, T1078.004]
-- pci: ["8.2.8", "8.6.1", "11.5.1"]
-- why: GetSessionToken makes temporary credentials of a long-lived key, which go on working for up to 36 hours when the
--   key is deactivated. This user never needed them.
-- response: Ask the owner of the user. If they do not know, deactivate the key, and deny the user everything before now
--   (aws:TokenIssueTime), since the session outlives the key.
-- false_positives: a user who begins to work with MFA on the command line, which takes this call
-- blind_spots: users who make such sessions every day
SELECT *,
    account_id AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'GetSessionToken'
  AND identity_type = 'IAMUser'
  AND invoked_by IS NULL
