-- title: Yearly rotation of an encryption key switched off
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1562.001]
-- pci: ["3.7.4", "10.2.1.7"]
-- why: The same key material now stays in use for good. Nothing breaks and nothing is lost, but the rule that keys have
--   an end is no longer kept.
-- response: Ask the owner of the key and switch rotation on again. Where material has to be changed by hand, write down
--   when and by whom.
-- false_positives: keys about to be retired, or rotated by hand
-- blind_spots: keys whose rotation was never on; a longer period set for it
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name = 'DisableKeyRotation'
