-- title: Deleted secret brought back
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1555.006]
-- pci: ["7.2.6", "10.2.1.7"]
-- why: Nobody can read a secret that waits for its deletion, so whoever wants its value restores it first. What was
--   thrown away often still opens the system it was made for.
-- response: Ask the principal why it was restored. If nobody knows, look for reads of it since, change the password or
--   key in the system it belongs to, and delete it again.
-- false_positives: a deletion by mistake that its owner undoes
-- blind_spots: whether the value still opens anything
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'RestoreSecret'
