-- title: Secrets listed, then read one after another
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   minutes: {type: bigint, default: 30, about: between the listing and a read that follows from it}
--   min_secrets: {type: bigint, default: 5, about: distinct secrets read after listings by one session in one day}
-- attack: [T1555.006, T1526]
-- pci: ["7.2.6", "8.6.3", "10.2.1.1"]
-- why: A program knows the names of its secrets. This session first asked what there is and then read its way through,
--   as somebody does who is there for the first time.
-- response: Find out who or what the session is. If it is not a known job, revoke it and change every secret it read,
--   beginning with database and third-party credentials.
-- false_positives: operators of a cluster that takes over whatever the listing shows; an administrator on a busy day
-- blind_spots: names learned elsewhere, from infrastructure code or task definitions; a listing in another session
WITH calls AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(session_name, access_key_id) AS session,
        CASE WHEN event_name = 'GetSecretValue' THEN resource_arn END AS secret,
        max(CASE WHEN event_name = 'ListSecrets' THEN event_time END) OVER (
            PARTITION BY principal_arn, account_id, COALESCE(session_name, access_key_id)
            ORDER BY event_time, event_id
        ) AS listed,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        source_ip,
        CASE WHEN invoked_by IS NULL THEN hand ELSE 'unknown' END AS hand,  -- for whom it called
        outcome
    FROM cloudtrail_events
    WHERE event_source = 'secretsmanager.amazonaws.com'
      AND event_name IN ('ListSecrets', 'GetSecretValue')
      AND (event_name = 'GetSecretValue' OR outcome = 'ok')
      AND COALESCE(invoked_by, 'secretsmanager.amazonaws.com') = 'secretsmanager.amazonaws.com'  -- its own in a batch
),
sessions AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(mark) AS marks
    FROM calls
    WHERE date_add('minute', :minutes, listed) >= event_time
    GROUP BY principal_arn, account_id, session, event_date
    HAVING count(DISTINCT secret) >= :min_secrets
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
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM sessions
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
