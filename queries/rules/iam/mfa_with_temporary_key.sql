-- title: MFA device registered with a temporary key
-- kind: match
-- severity: medium
-- attack: [T1556.006, T1098.005]
-- pci: ["8.4.2", "8.5.1", "10.2.1.5"]
-- why: A user's temporary key, used outside the console, registered an MFA device for that user. People do this once in
--   the console; a thief with a stolen session does it by program, so that the account stays theirs.
-- response: Ask the user whether they registered a device and with what. If not, deactivate it, end the sessions (deny
--   by aws:TokenIssueTime), and change the password and keys.
-- false_positives: a user who sets up the second device from the command line
-- blind_spots: sessions of the console, which look alike whoever sits there; logs that say nothing of the console
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('CreateVirtualMFADevice', 'EnableMFADevice')
  AND identity_type = 'IAMUser'
  AND access_key_id LIKE 'ASIA%'
  AND COALESCE(json_extract_scalar(extra, '$.sessionCredentialFromConsole'), '') <> 'true'
  AND NOT regexp_like(
      COALESCE(user_agent, ''),
      '^\[?(AWS-Console|Mozilla/)|(console|signin)\.amazonaws\.com'
  )
  AND invoked_by IS NULL
