-- title: MFA device registered for another user
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1556.006, T1098.005]
-- pci: ["8.2.4", "8.4.2", "8.5.1", "10.2.1.5"]
-- why: Someone gave another user's sign-in a second factor that they hold themselves. With the password, or a new one,
--   they can sign in as that user, and where MFA is demanded the owner cannot.
-- response: Ask the user whether the device is theirs. If not, deactivate it, change the password and keys, and read
--   the user's sign-ins since.
-- false_positives: a help desk that sets devices up for people; a user may have eight
-- blind_spots: devices that a thief registers with the user's own session
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'EnableMFADevice'
  AND json_extract_scalar(request_parameters, '$.userName') IS NOT NULL
  AND NOT (
      COALESCE(identity_type, '') = 'IAMUser'
      AND COALESCE(lower(principal_name), '') = lower(json_extract_scalar(request_parameters, '$.userName'))
  )
  -- root has no other name, and only root itself can register its devices
  AND COALESCE(identity_type, '') <> 'Root'
