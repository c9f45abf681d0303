-- title: Console sign-in without MFA
-- kind: match
-- severity: high
-- attempts: ignore
-- attack: [T1078.004]
-- pci: ["8.4.1", "8.4.2"]
-- cis: ["3.0/4.2", "7.0/5.2"]
-- why: A user or the root account signed in with a password alone. Whoever learns that password can do the same.
-- response: Ask the user whether it was them, then require MFA for the user by policy. Look at what was done in the
--   session.
-- false_positives: a new user on the first day, before a device is registered
-- blind_spots: sign-ins through an identity provider, whose second factor AWS does not see and always records as No
SELECT *
FROM cloudtrail_events
WHERE event_source = 'signin.amazonaws.com'
  AND event_name = 'ConsoleLogin'
  AND identity_type IN ('IAMUser', 'Root')
  AND json_extract_scalar(response_elements, '$.ConsoleLogin') = 'Success'
  AND json_extract_scalar(additional_event_data, '$.MFAUsed') = 'No'
  AND json_extract_scalar(additional_event_data, '$.SamlProviderArn') IS NULL
