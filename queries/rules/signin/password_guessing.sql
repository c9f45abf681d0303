-- title: Console password guessed
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_failures: {type: bigint, default: 5, about: failed sign-ins of one user in one hour}
-- attack: [T1110.001]
-- pci: ["8.3.4", "10.2.1.4"]
-- cis: ["3.0/4.6", "7.0/5.6"]
-- why: Somebody tried many passwords for one user within an hour. When a sign-in from the same address then succeeded,
--   which makes this finding severe, the password has most likely been found.
-- response: If a sign-in succeeded, end the session, change the password, and read what was done. If none did, ask the
--   user, and see that MFA is required.
-- false_positives: a user with a new password and an old password manager
-- blind_spots: failures at an identity provider; slow guessing; names that do not exist, which AWS hides
WITH sign_ins AS (
    SELECT
        principal_arn,
        account_id,
        date_trunc('hour', event_time) AS hour_start,
        event_time,
        event_id,
        source_ip,
        hand,
        outcome,
        min(CASE WHEN outcome <> 'ok' THEN event_time END)
            OVER (PARTITION BY principal_arn, account_id, source_ip, date_trunc('hour', event_time)) AS first_failure
    FROM cloudtrail_events
    WHERE event_source = 'signin.amazonaws.com'
      AND event_name = 'ConsoleLogin'
      AND principal_arn IS NOT NULL
),
guessing AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM sign_ins
    WHERE outcome <> 'ok' OR event_time >= first_failure
    GROUP BY principal_arn, account_id, hour_start
    HAVING count_if(outcome <> 'ok') >= :min_failures
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM guessing
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
