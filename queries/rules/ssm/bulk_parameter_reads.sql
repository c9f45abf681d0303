-- title: One session decrypted many different parameters
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_parameters: {type: bigint, default: 20, about: distinct names decrypted by one session in one day}
-- attack: [T1555.006]
-- pci: ["7.2.6", "8.6.3", "10.2.1.1"]
-- why: Secure parameters hold passwords and keys. A program reads its own; a session that decrypts many different ones
--   is collecting them.
-- response: Find out who or what the session is. If it is not a known job, change every value that was
--   read and revoke the session.
-- false_positives: a deployment job that reads all parameters of an application at start-up
-- blind_spots: GetParametersByPath counts as one name here, because the log does not say what it returned
WITH parameter_reads AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(session_name, access_key_id) AS session,
        COALESCE(
            TRY_CAST(json_extract(request_parameters, '$.names') AS ARRAY(VARCHAR)),
            ARRAY[COALESCE(
                json_extract_scalar(request_parameters, '$.name'),
                json_extract_scalar(request_parameters, '$.path')
            )]
        ) AS names,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        source_ip,
        hand,
        outcome
    FROM cloudtrail_events
    WHERE event_source = 'ssm.amazonaws.com'
      AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath')
      AND json_extract_scalar(request_parameters, '$.withDecryption') = 'true'
      AND invoked_by IS NULL
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
    FROM parameter_reads
    GROUP BY principal_arn, account_id, session, event_date
    HAVING cardinality(array_distinct(flatten(array_agg(names)))) >= :min_parameters
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
