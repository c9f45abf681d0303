-- title: One address tried to sign in as many users
-- kind: aggregate
-- severity: medium
-- attempts: same
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   min_failures: {type: bigint, default: 5, about: failed sign-ins from one address}
--   min_users: {type: bigint, default: 3, about: distinct users among them; AWS hides names that do not exist}
-- attack: [T1110.003]
-- pci: ["8.3.4", "10.2.1.4"]
-- cis: ["3.0/4.6", "7.0/5.6"]
-- why: One address failed to sign in again and again under names that differ or do not exist. Trying one common
--   password on many names avoids the lock that many tries on one name would cause.
-- response: Look for a sign-in that succeeded from the same address. Block the address where you can, and see that
--   every user of the console has MFA.
-- false_positives: an office network on the morning after a password change
-- blind_spots: spraying from many addresses; sign-ins at an identity provider
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    source_ip AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count(*) AS failed_count,
    'denied' AS outcome,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM cloudtrail_events
WHERE event_source = 'signin.amazonaws.com'
  AND event_name = 'ConsoleLogin'
  AND outcome <> 'ok'
GROUP BY account_id, source_ip
HAVING count(*) >= :min_failures
   AND (count(DISTINCT principal_arn) >= :min_users OR count_if(principal_arn IS NULL) >= :min_failures)
ORDER BY account_id, source_ip
