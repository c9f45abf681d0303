-- title: Secret read from an address new to this principal
-- kind: first_seen
-- severity: medium
-- addresses: lower
-- attack: [T1555.006, T1078.004]
-- pci: ["7.2.6", "8.6.1", "10.2.1.1"]
-- why: The reads of a program come from the few addresses of its network. The same rights used from an address that
--   this principal never read a secret from may be in somebody else's hands.
-- response: Find out whose address it is. If it is none of yours, revoke the principal's sessions or disable its key,
--   and change every secret that was read from there.
-- false_positives: a new NAT gateway or office line; tasks and functions with public addresses of their own, which
--   change all the time; people who travel
-- blind_spots: private addresses, which change with every task; a thief inside the same network; principals that are
--   themselves new
SELECT *,
    source_ip AS resource
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name IN ('GetSecretValue', 'BatchGetSecretValue')
  AND hand <> 'service'
  AND regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
  AND NOT regexp_like(
      source_ip,
      '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
          || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
  )
