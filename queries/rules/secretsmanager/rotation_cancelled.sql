-- title: Rotation of a secret switched off
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.001]
-- pci: ["8.3.9", "8.6.3", "10.2.1.5"]
-- why: Rotation changes a secret by itself, so that a stolen value is worthless after some days. With rotation off,
--   whoever has the value today still has it next year.
-- response: Ask who ordered it and switch rotation on again. If nobody did, rotate the secret now, and look for reads
--   of it by the same principal.
-- false_positives: a rotation that fails and was stopped on purpose; a secret about to be deleted
-- blind_spots: rotation that stays on but is made to wait for years, or whose function does nothing
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'CancelRotateSecret'
