-- title: Tool of an attacker named itself
-- kind: aggregate
-- severity: high
-- attempts: same
-- hands: same
-- reads: [cloudtrail_events]
-- params:
--   agents:
--     type: varchar
--     default: '(?i)kali|parrot(os|sec)|pentoo|blackarch|pacu/|trufflehog|stratus-red-team|weirdaal|peirates|cloudfox'
--     about: pattern of user agents that belong to attackers' tools and systems
--   key_thieves:
--     type: varchar
--     default: '(?i)s3 ?browser|python-requests|^curl/|^wget/'
--     about: pattern of user agents that have no business with IAM
-- attack: [T1059.009, T1078.004]
-- pci: ["10.2.1.2", "11.5.1", "12.10.5"]
-- why: The caller's own program says that it is made for attacks, or runs on a system that is. Careless intruders leave
--   it so, and nobody in daily work has a reason to.
-- response: If no test is announced, disable the key or revoke the sessions now, and read everything that they did. If
--   one is, match time, address and principal with the announcement.
-- false_positives: penetration tests; developers who work on Kali; a scan for secrets of your own that checks what it
--   finds
-- blind_spots: whoever changes the user agent, which takes one setting
SELECT
    principal_arn,
    account_id,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM cloudtrail_events
WHERE regexp_like(user_agent, :agents)
   OR (
       event_source = 'iam.amazonaws.com'
       AND regexp_like(user_agent, :key_thieves)
   )
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
