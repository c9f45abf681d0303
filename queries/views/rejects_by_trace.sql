-- title: Calls and rejects that have an address, a task or an interface in common
-- about: >-
--   Each row of call_traces with what was refused of the same public address, task or interface: on either side of a
--   flow record, and behind a NAT gateway by the address of the packet.
WITH refused_things AS (
    SELECT
        refused_flows.*,
        CASE WHEN side IN ('source', 'destination', 'packet') THEN 'address' ELSE side END AS kind,
        CASE side
            WHEN 'source' THEN srcaddr
            WHEN 'destination' THEN NULLIF(dstaddr, srcaddr)
            WHEN 'packet' THEN NULLIF(NULLIF(pkt_srcaddr, srcaddr), dstaddr)
            WHEN 'interface' THEN interface_id
            ELSE task_id
        END AS joined_by
    FROM refused_flows
    CROSS JOIN UNNEST(ARRAY['source', 'destination', 'packet', 'interface', 'task']) AS s(side)
),
traced AS (
    SELECT DISTINCT CASE kind WHEN 'endpoint' THEN 'interface' ELSE kind END AS kind, joined_by FROM call_traces
),
rejects AS (
    SELECT
        refused_things.kind,
        refused_things.joined_by,
        count(*) AS reject_count,
        array_join(slice(array_sort(array_agg(DISTINCT workload)), 1, 10), ', ') AS workloads,
        count(DISTINCT task_id) AS task_count,
        count(DISTINCT interface_id) AS interface_count,
        array_join(slice(array_sort(array_agg(DISTINCT interface_id)), 1, 10), ', ') AS interface_ids,
        array_join(slice(array_sort(array_agg(DISTINCT dstaddr)), 1, 10), ', ') AS dstaddrs,
        array_join(slice(array_sort(array_agg(DISTINCT dstport)), 1, 10), ', ') AS dstports,
        min(start_time) AS first_reject,
        max(end_time) AS last_reject,
        min(flow) AS flow
    FROM refused_things
    JOIN traced ON traced.kind = refused_things.kind AND traced.joined_by = refused_things.joined_by
    GROUP BY refused_things.kind, refused_things.joined_by
)
SELECT
    call_traces.kind,
    shared,
    is_certain,
    principal_arn,
    session_name,
    account_id,
    event_count,
    denied_count,
    event_names,
    first_event,
    last_event,
    event_id,
    workloads,
    task_count,
    interface_count,
    interface_ids,
    dstaddrs,
    dstports,
    reject_count,
    first_reject,
    last_reject,
    flow
FROM call_traces
JOIN rejects
    ON rejects.kind = CASE call_traces.kind WHEN 'endpoint' THEN 'interface' ELSE call_traces.kind END
    AND rejects.joined_by = call_traces.joined_by
