-- title: Serial console of instances opened
-- kind: match
-- severity: medium
-- attack: [T1021.008]
-- pci: ["1.4.1", "8.6.1", "10.2.1.2"]
-- why: The serial console reaches an instance past its network, security groups and shell logs. It was allowed for the
--   whole account, or a key for it was sent to an instance.
-- response: Ask who repairs a machine. If nobody does, disable the serial console for the account and look at what was
--   done on the instance.
-- false_positives: an operator who mends a machine that does not start
-- blind_spots: what is typed there; a password is still needed on most machines
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('ec2.amazonaws.com', 'ec2-instance-connect.amazonaws.com')
  AND event_name IN ('EnableSerialConsoleAccess', 'SendSerialConsoleSSHPublicKey')
