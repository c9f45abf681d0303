-- title: Long-lived key tried out from a new address
-- kind: first_seen
-- severity: low
-- addresses: lower
-- attack: [T1087.004, T1078.004]
-- pci: ["8.6.1", "8.6.3", "11.5.1"]
-- why: GetCallerIdentity tells whose a key is and needs no rights, so it is the first call of everybody who finds one.
--   This user never made it from that address.
-- response: Ask the owner of the user whether they were there. If not, deactivate the key, and read what else came from
--   the address.
-- false_positives: people at home or on the road; hosted pipelines, which change addresses with every run
-- blind_spots: keys that are tried with another call
SELECT *,
    source_ip AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'GetCallerIdentity'
  AND access_key_id LIKE 'AKIA%'
  AND invoked_by IS NULL
