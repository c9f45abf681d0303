-- title: Recovery of root's password asked for
-- kind: match
-- severity: medium
-- attempts: same
-- attack: [T1078.004]
-- pci: ["8.2.2", "8.3.4", "10.2.1.4"]
-- why: Somebody who knows the e-mail address of the account asked for a link that sets a new root password. The link
--   goes to that mailbox, so the mailbox is what stands between them and the account.
-- response: Ask the keepers of root. If none of them asked, look into the mailbox and its sign-ins, see that root has
--   an MFA device, and warn its readers of mails that imitate AWS.
-- false_positives: keepers who forgot the password or look after it once a year
-- blind_spots: accounts whose mailbox is read by others already; recovery through AWS Support
SELECT *
FROM cloudtrail_events
WHERE event_source = 'signin.amazonaws.com'
  AND event_name = 'PasswordRecoveryRequested'
  AND COALESCE(identity_type, 'Root') = 'Root'
