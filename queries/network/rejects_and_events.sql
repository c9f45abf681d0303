-- title: Rejected traffic and the events it belongs to
-- about: Each row joins what one principal did with what the network refused, and says what both have in common, an
--   address, an interface or task, or a security group. event_id and flow are one proof of each side. Ids of interfaces
--   and private addresses are used again after a while, so compare the times; confidence says how much the common thing
--   proves.
-- reads: [cloudtrail_events, flow_records]
WITH rejects AS (
    SELECT
        account_id,
        interface_id,
        ecs_task_id,
        srcaddr,
        dstaddr,
        pkt_srcaddr,
        dstport,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        count(*) AS reject_count,
        min(start_time) AS first_reject,
        max(end_time) AS last_reject
    FROM flow_records
    WHERE action = 'REJECT'
    GROUP BY account_id, interface_id, ecs_task_id, srcaddr, dstaddr, pkt_srcaddr, dstport, protocol
),
addresses AS (
    SELECT srcaddr AS address, rejects.* FROM rejects WHERE srcaddr IS NOT NULL
    UNION ALL
    SELECT dstaddr AS address, rejects.* FROM rejects WHERE dstaddr <> srcaddr
    UNION ALL
    SELECT pkt_srcaddr AS address, rejects.* FROM rejects WHERE pkt_srcaddr <> srcaddr AND pkt_srcaddr <> dstaddr
),
rejects_by_address AS (
    SELECT
        address,
        sum(reject_count) AS reject_count,
        array_join(slice(array_sort(array_agg(DISTINCT interface_id)), 1, 10), ', ') AS interface_ids,
        array_join(slice(array_sort(array_agg(DISTINCT dstport)), 1, 10), ', ') AS dstports,
        min(first_reject) AS first_reject,
        max(last_reject) AS last_reject,
        min(flow) AS flow
    FROM addresses
    GROUP BY address
),
interfaces AS (
    SELECT interface_id AS shared, rejects.* FROM rejects WHERE interface_id IS NOT NULL
    UNION ALL
    SELECT ecs_task_id AS shared, rejects.* FROM rejects WHERE ecs_task_id IS NOT NULL
),
rejects_by_interface AS (
    SELECT
        shared,
        sum(reject_count) AS reject_count,
        array_join(slice(array_sort(array_agg(DISTINCT interface_id)), 1, 10), ', ') AS interface_ids,
        array_join(slice(array_sort(array_agg(DISTINCT dstport)), 1, 10), ', ') AS dstports,
        min(first_reject) AS first_reject,
        max(last_reject) AS last_reject,
        min(flow) AS flow
    FROM interfaces
    GROUP BY shared
),
texts AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        event_name,
        event_time,
        event_id,
        outcome,
        source_ip,
        service,
        event_name LIKE '%SecurityGroup%' AND NOT COALESCE(read_only, FALSE) AS changes_group,
        CASE
            WHEN service = 'ec2'
                OR (
                    service = 'ecs'
                    AND (event_name LIKE '%Task%' OR event_name = 'ExecuteCommand')
                    AND event_name NOT LIKE '%TaskDefinition%'
                    AND event_name NOT LIKE 'Submit%'  -- agents reporting
                )
                THEN COALESCE(request_parameters, '') || ' ' || COALESCE(response_elements, '')
        END AS body
    FROM cloudtrail_events
),
events AS (
    SELECT
        texts.*,
        CASE
            WHEN service = 'ecs' OR strpos(body, 'eni-') > 0 THEN array_distinct(regexp_extract_all(
                body,  -- ENI ids, and the ids of tasks as they stand in task ARNs and parameters
                'eni-[0-9a-f]{8,17}|[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
            ))
        END AS named,
        CASE
            WHEN service = 'ec2' AND strpos(body, 'sg-') > 0
                THEN array_distinct(regexp_extract_all(body, 'sg-[0-9a-f]{8,17}'))
        END AS groups_named
    FROM texts
),
interface_groups AS (
    SELECT DISTINCT group_id, interface_id
    FROM events
    CROSS JOIN UNNEST(groups_named) AS g(group_id)
    CROSS JOIN UNNEST(named) AS n(interface_id)
    WHERE event_name IN ('CreateNetworkInterface', 'ModifyNetworkInterfaceAttribute')
      AND interface_id LIKE 'eni-%'
),
links AS (
    SELECT 'address' AS kind, source_ip AS shared, source_ip AS join_key, events.*
    FROM events
    WHERE regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
    UNION ALL
    SELECT 'interface' AS kind, name AS shared, name AS join_key, events.*
    FROM events
    CROSS JOIN UNNEST(named) AS n(name)
    WHERE named IS NOT NULL
    UNION ALL
    SELECT 'interface' AS kind, session_name AS shared, session_name AS join_key, events.*
    FROM events  -- a task's id is the session name of its roles
    WHERE regexp_like(session_name, '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
      AND NOT COALESCE(contains(named, session_name), FALSE)
    UNION ALL
    SELECT 'security_group' AS kind, interface_groups.group_id AS shared, interface_id AS join_key, events.*
    FROM events
    CROSS JOIN UNNEST(groups_named) AS g(changed_group)
    JOIN interface_groups ON interface_groups.group_id = changed_group
    WHERE changes_group
),
linked_events AS (
    SELECT
        kind,
        shared,
        join_key,
        principal_arn,
        account_id,
        count(*) AS event_count,
        count_if(outcome = 'denied') AS denied_count,
        array_join(slice(array_sort(array_agg(DISTINCT event_name)), 1, 10), ', ') AS event_names,
        min(event_time) AS first_event,
        max(event_time) AS last_event,
        min(event_id) AS event_id
    FROM links
    GROUP BY kind, shared, join_key, principal_arn, account_id
),
all_rejects AS (
    SELECT 'address' AS kind, rejects_by_address.* FROM rejects_by_address
    UNION ALL
    SELECT 'interface' AS kind, rejects_by_interface.* FROM rejects_by_interface
    UNION ALL
    SELECT 'security_group' AS kind, rejects_by_interface.* FROM rejects_by_interface
)
SELECT
    linked_events.kind,
    CASE
        WHEN linked_events.kind = 'security_group' THEN 'medium'
        WHEN linked_events.kind = 'address' AND regexp_like(
            linked_events.shared,
            '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
        ) THEN 'medium'
        ELSE 'high'
    END AS confidence,
    linked_events.shared,
    principal_arn,
    account_id,
    event_count,
    denied_count,
    event_names,
    first_event,
    last_event,
    event_id,
    reject_count,
    interface_ids,
    dstports,
    first_reject,
    last_reject,
    flow
FROM linked_events
JOIN all_rejects ON all_rejects.kind = linked_events.kind AND all_rejects.address = linked_events.join_key
ORDER BY linked_events.kind, reject_count DESC, linked_events.shared, join_key, principal_arn, account_id
