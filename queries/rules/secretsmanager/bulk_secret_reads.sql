-- title: One session read many different secrets
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_secrets: {type: bigint, default: 10, about: distinct secrets read by one session in one day}
-- attack: [T1555.006]
-- pci: ["7.2.6", "8.6.3", "10.2.1.1"]
-- why: A program needs the few secrets that are its own. A session that reads many different ones is collecting them,
--   and each one opens another system.
-- response: Find out who or what the session is. If it is not a known job, change every secret that was
--   read, beginning with database and third-party credentials, and revoke the session.
-- false_positives: a deployment or backup job that reads every secret of an application at start-up
-- blind_spots: a thief who takes a few secrets a day or opens a new session for each; reads in accounts or regions
--   whose trail is not among the sources
WITH secret_reads AS (
    -- A BatchGetSecretValue call also logs one GetSecretValue for each secret, so the batch itself is not counted.
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(session_name, access_key_id) AS session,
        COALESCE(json_extract_scalar(request_parameters, '$.secretId'), resource_arn) AS secret_id,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        source_ip,
        CASE WHEN invoked_by IS NULL THEN hand ELSE 'unknown' END AS hand,  -- for whom it called
        outcome
    FROM cloudtrail_events
    WHERE event_source = 'secretsmanager.amazonaws.com'
      AND event_name = 'GetSecretValue'
      AND COALESCE(invoked_by, 'secretsmanager.amazonaws.com') = 'secretsmanager.amazonaws.com'  -- its own in a batch
),
named AS (
    SELECT
        *,
        regexp_replace(
            -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
            CASE
                WHEN regexp_like(regexp_extract(secret_id, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                    THEN regexp_replace(secret_id, '-[A-Za-z0-9]{6}$', '')
                ELSE secret_id
            END,
            '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
            ''
        ) AS secret
    FROM secret_reads
),
bulk_sessions AS (
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
    FROM named
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
FROM bulk_sessions
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
