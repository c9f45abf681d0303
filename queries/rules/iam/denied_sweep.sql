-- title: One principal was refused many different things
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   min_actions: {type: bigint, default: 8, about: distinct actions refused in one day}
--   min_targets: {type: bigint, default: 12, about: or distinct targets of refused calls in one day}
-- attack: [T1580, T1526]
-- pci: ["10.2.1.4", "7.3.1"]
-- cis: ["3.0/4.1", "7.0/5.1"]
-- why: A working program is refused the same few things again and again. Being refused many different things, or the
--   same thing on many targets, is what it looks like when somebody tries out what a stolen key can do.
-- response: Ask the owner of the principal what was running at that time and from that address. If nobody knows,
--   disable the key or revoke the role's sessions, and read what did succeed in the same session.
-- false_positives: a new program whose rights are still being worked out; security scanners; a person clicking through
--   a console that they may not see much of
-- blind_spots: refused data events such as S3 reads; a search that takes longer than a day
WITH refused AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        event_source,
        event_name,
        COALESCE(resource_arn, request_parameters) AS target,
        event_time,
        event_id,
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE outcome = 'denied'
      AND invoked_by IS NULL
      AND COALESCE(event_category, 'Management') <> 'Data'  -- a program reading a bucket it may not read is no sweep
      AND event_source <> 'signin.amazonaws.com'
      AND principal_arn IS NOT NULL
      AND principal_arn NOT LIKE '%:role/aws-service-role/%'
),
sweeps AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM refused
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT event_source || event_name) >= :min_actions
        OR count(DISTINCT event_name || target) >= :min_targets
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'denied' AS outcome,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM sweeps
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
