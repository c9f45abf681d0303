-- title: User at work from a network never seen before
-- kind: first_seen
-- severity: medium
-- addresses: lower
-- attack: [T1078.004]
-- pci: ["8.6.1", "10.2.1.2", "11.5.1"]
-- why: The key or login of this user was used from a network it never came from. A program stays where it is, and a
--   person has a few places to work from; whoever took the key has others.
-- response: Ask the owner of the user where they or the program are. If it was not them, deactivate the key, and read
--   everything that came from this network, whoever's name it carries.
-- false_positives: people who travel, mobile networks, and hosted pipelines, which change addresses with every run
-- blind_spots: sessions of roles, of which a program has many; a thief in the same network
SELECT *,
    CASE
        WHEN strpos(source_ip, ':') = 0 THEN regexp_extract(source_ip, '^([0-9]+\.[0-9]+\.[0-9]+)\.', 1) || '.0/24'
        ELSE COALESCE(
            NULLIF(regexp_extract(source_ip, '^([0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+):', 1), '') || '::/48',
            source_ip
        )
    END AS resource
FROM cloudtrail_events
WHERE identity_type IN ('IAMUser', 'Root')
  AND invoked_by IS NULL
  AND COALESCE(event_type, '') <> 'AwsServiceEvent'
  AND regexp_like(source_ip, '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
  AND NOT regexp_like(
      source_ip,
      '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
          || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
  )
