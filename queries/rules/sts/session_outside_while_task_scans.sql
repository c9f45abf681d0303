-- title: Task's credentials used outside while the task scans
-- kind: aggregate
-- severity: critical
-- per: resource
-- attempts: same
-- reads: [cloudtrail_events, flow_records]
-- params:
--   min_doors: {type: bigint, default: 10, about: "distinct hosts and ports, counted together, refused in an hour"}
--   within_hours: {type: bigint, default: 6, about: hours between the calls from outside and the scan}
-- attack: [T1552.005, T1078.004, T1046]
-- pci: ["8.6.1", "10.2.1.4", "11.5.1"]
-- why: The credentials of one task were used from an address outside, and at the same time the task tried doors in
--   the network that were closed to it. Either alone has harmless reasons; together they say that somebody is inside
--   the task.
-- response: Revoke the sessions of the task's role (deny by aws:TokenIssueTime), stop the task and keep its logs,
--   read what the session did and which roles it went on to assume, and look for a way to make the service fetch
--   addresses.
-- false_positives: a service of a single task that calls AWS partly through endpoints and partly through a NAT
--   gateway of its own, and has lost a database to a security group change
-- blind_spots: flow logs without the ecs-* fields; addresses that another task's session uses as well, as behind a
--   shared NAT gateway; scans of doors that are open; a thief who works from inside the task alone
WITH uses AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        source_ip,
        regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
            AND NOT regexp_like(
                source_ip,
                '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                    || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
            ) AS is_public,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        array_distinct(array_agg(hand)) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS event_ids
    FROM cloudtrail_events
    WHERE identity_type = 'AssumedRole'
      AND invoked_by IS NULL
      AND regexp_like(session_name, '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
    GROUP BY principal_arn, account_id, session_name, source_ip
),
judged AS (
    SELECT
        *,
        -- what several tasks use is the way out of their network
        min(session_name) OVER (PARTITION BY source_ip) = max(session_name) OVER (PARTITION BY source_ip) AS is_alone,
        min(source_ip) OVER (PARTITION BY principal_arn, account_id, session_name)
            <> max(source_ip) OVER (PARTITION BY principal_arn, account_id, session_name) AS has_moved
    FROM uses
),
outside AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(event_count) AS event_count,
        sum(failed_count) AS failed_count,
        array_sort(array_agg(source_ip)) AS source_ips,
        array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
        flatten(array_agg(event_ids ORDER BY first_seen, source_ip)) AS event_ids
    FROM judged
    WHERE is_public AND is_alone AND has_moved
    GROUP BY principal_arn, account_id, session_name
),
scans AS (
    SELECT
        account_id AS scan_account,
        ecs_task_id,
        min(start_time) AS scan_start,
        max(end_time) AS scan_end,
        array_agg(DISTINCT srcaddr) AS scan_sources,  -- what a scan is known by joins both in one case
        array_sort(array_agg(
            DISTINCT interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        )) AS flows
    FROM flow_records
    WHERE action = 'REJECT'
      AND ecs_task_id IS NOT NULL
      AND COALESCE(flow_direction, 'egress') = 'egress'
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- answers to clients, stopped by a network ACL
    GROUP BY account_id, ecs_task_id, date_trunc('hour', start_time)
    HAVING count(DISTINCT dstaddr || ' ' || CAST(dstport AS VARCHAR)) >= :min_doors
)
SELECT
    principal_arn,
    account_id,
    session_name AS resource,
    LEAST(min(first_seen), min(scan_start)) AS first_seen,
    GREATEST(max(last_seen), max(scan_end)) AS last_seen,
    max(event_count) AS event_count,
    max(failed_count) AS failed_count,
    TRY_CAST(
        array_sort(array_distinct(flatten(array_agg(source_ips || scan_sources)))) AS ARRAY(VARCHAR)
    ) AS source_ips,
    TRY_CAST(max_by(hands, scan_start) AS ARRAY(VARCHAR)) AS hands,
    TRY_CAST(
        max_by(event_ids, scan_start) || slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100)
        AS ARRAY(VARCHAR)
    ) AS evidence
FROM outside
JOIN scans ON ecs_task_id = session_name AND scan_account = account_id
WHERE scan_start <= date_add('hour', :within_hours, last_seen)
  AND first_seen <= date_add('hour', :within_hours, scan_end)
GROUP BY principal_arn, account_id, session_name
ORDER BY principal_arn, account_id, session_name
