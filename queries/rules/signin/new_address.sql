-- title: Console sign-in from an address new to the user
-- kind: first_seen
-- severity: medium
-- attempts: ignore
-- addresses: lower
-- attack: [T1078.004]
-- pci: ["8.2.2", "8.4.1", "10.2.1.2"]
-- why: Most people work from the same few networks. A sign-in from one that this user never came from may be somebody
--   else with the password.
-- response: Ask the user whether it was them, by another way than e-mail. If not, end the session, change the password,
--   look at what was done in it, and see that the user has an MFA device.
-- false_positives: people who travel or whose line at home gets a new address every day
-- blind_spots: users of whom the baseline knows nothing; sign-ins through an identity provider, where many people share
--   a role; a thief who comes through a network near the user
SELECT *,
    source_ip AS resource
FROM cloudtrail_events
WHERE event_source = 'signin.amazonaws.com'
  AND event_name = 'ConsoleLogin'
  AND identity_type IN ('IAMUser', 'Root')
  AND regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
