-- title: MFA device taken from a user
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1556.006]
-- pci: ["8.4.1", "8.4.2", "10.2.1.5"]
-- why: Without its MFA device a user is one stolen password away from being somebody else. Intruders remove the device
--   so that they can come back without it.
-- response: Ask the user whether they lost or changed their device. If not, disable the user's password and keys, and
--   look at sign-ins since the first time shown.
-- false_positives: a replaced telephone; deletion of a user, which needs the device removed first
-- blind_spots: MFA devices of Identity Center and of other identity providers
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'DeactivateMFADevice'
