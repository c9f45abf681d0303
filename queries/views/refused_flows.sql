-- title: What the network refused, summed over time
-- about: >-
--   One row per interface, task, addresses, port and protocol, with how often and from when to when; flow is the
--   proof in words. task_id and workload are those that the record tells, else those that had the interface last.
WITH refused AS (
    SELECT
        account_id,
        interface_id,
        ecs_task_id,
        ecs_service_name,
        srcaddr,
        dstaddr,
        pkt_srcaddr,
        dstport,
        protocol,
        count(*) AS reject_count,
        min(start_time) AS first_reject,
        max(COALESCE(end_time, start_time)) AS last_reject
    FROM flow_records
    WHERE action = 'REJECT'
    GROUP BY
        account_id, interface_id, ecs_task_id, ecs_service_name, srcaddr, dstaddr, pkt_srcaddr, dstport, protocol
)
SELECT
    account_id,
    refused.interface_id,
    COALESCE(ecs_task_id, task_id) AS task_id,
    COALESCE('service ' || ecs_service_name, 'ecs task ' || ecs_task_id, workload) AS workload,
    srcaddr,
    dstaddr,
    pkt_srcaddr,
    dstport,
    protocol,
    refused.interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
        || CAST(protocol AS VARCHAR) AS flow,
    reject_count,
    first_reject,
    last_reject
FROM refused
LEFT JOIN interface_holders ON interface_holders.interface_id = refused.interface_id
