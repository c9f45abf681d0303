-- title: User who never changed anything made changes
-- kind: first_seen
-- newcomers: report
-- severity: medium
-- attack: [T1078.004]
-- pci: ["8.2.1", "8.6.1", "10.2.1.2", "11.5.1"]
-- why: This IAM user only read, or was not seen at all, and now it makes changes. Long-lived keys are stolen and their
--   thieves want more than to look.
-- response: Ask the owner of the user what they did. If they do not know, deactivate the keys, and read all calls of
--   the user since the first time shown.
-- false_positives: a new colleague or program; a task that comes once in a quarter
-- blind_spots: roles, which come and go with every deployment; changes to the contents of buckets and tables
SELECT *,
    account_id AS resource
FROM cloudtrail_events
WHERE identity_type = 'IAMUser'
  AND read_only = FALSE
  AND event_source NOT IN ('signin.amazonaws.com', 'sts.amazonaws.com')
  AND event_name NOT IN ('ChangePassword', 'GenerateCredentialReport', 'StartQueryExecution', 'StartQuery')
  AND COALESCE(event_category, 'Management') = 'Management'
  AND hand <> 'service'
