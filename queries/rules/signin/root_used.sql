-- title: Root account used
-- kind: match
-- severity: high
-- attack: [T1078.004]
-- pci: ["8.2.2", "10.2.1.2"]
-- cis: ["3.0/4.3", "7.0/5.3"]
-- why: Root can do everything, no policy can stop it, and it does not say which person used it. A handful of tasks a
--   year need it, so each use should have a ticket.
-- response: Ask the keepers of the root password and MFA device. If none of them did it, change the password and e-mail
--   access at once, delete root keys, and call AWS Support.
-- false_positives: the few account settings that only root can change
-- blind_spots: failed root sign-ins of which AWS sends no event; the organization's management account may hold its own
--   trail
SELECT *
FROM cloudtrail_events
WHERE identity_type = 'Root'
  AND invoked_by IS NULL
  AND COALESCE(event_type, '') <> 'AwsServiceEvent'
