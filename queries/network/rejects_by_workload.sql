-- title: Our workloads refused on their way out
-- about: One row for each workload, destination and port. It is on its way out where the record says egress, else
--   where the source is the interface's own private address. The workload is the one that had the interface at that
--   time. Answers to clients, which a network ACL stopped, are left out.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH refused AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        flow_direction,
        ecs_task_id,
        ecs_service_name,
        instance_id,
        date_trunc('hour', start_time) AS hour_start,
        count(*) AS reject_count,
        sum(packets) AS packets,
        min(start_time) AS first_seen,
        max(COALESCE(end_time, start_time)) AS last_seen
    FROM flow_records
    WHERE action = 'REJECT'
      AND COALESCE(flow_direction, 'egress') = 'egress'
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)
    GROUP BY
        account_id, interface_id, srcaddr, dstaddr, dstport, protocol, flow_direction, ecs_task_id, ecs_service_name,
        instance_id, date_trunc('hour', start_time)
),
own_addresses AS (
    SELECT interface_id AS own_interface, max(private_ip) AS own_address FROM workload_interfaces GROUP BY interface_id
),
told AS (
    SELECT
        COALESCE(
            CASE WHEN ecs_task_id IS NOT NULL THEN 'ecs_task' END,
            workload_kind,
            CASE WHEN instance_id IS NOT NULL THEN 'instance' END,
            'unknown'
        ) AS workload_kind,
        COALESCE(ecs_task_id, workload_id, instance_id) AS workload_id,
        COALESCE(ecs_service_name, service) AS service,
        cluster,
        COALESCE(refused.account_id, workload_interfaces.account_id) AS account_id,
        refused.interface_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        reject_count,
        packets,
        refused.first_seen,
        refused.last_seen
    FROM refused
    LEFT JOIN own_addresses ON own_interface = refused.interface_id
    LEFT JOIN workload_interfaces  -- the one that had the interface at that time: no more than one
        ON workload_interfaces.interface_id = refused.interface_id
        AND workload_interfaces.first_seen <= refused.first_seen
        AND workload_interfaces.last_seen >= refused.first_seen
        AND (next_seen IS NULL OR next_seen > refused.first_seen)
    WHERE flow_direction = 'egress' OR srcaddr = own_address
)
SELECT
    workload_kind,
    workload_id,
    service,
    cluster,
    account_id,
    dstaddr,
    NOT regexp_like(
        dstaddr,
        '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
    ) AS is_public,
    dstport,
    protocol,
    sum(reject_count) AS reject_count,
    sum(packets) AS packets,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    array_join(slice(array_sort(array_agg(DISTINCT interface_id)), 1, 10), ', ') AS interface_ids,
    array_join(slice(array_sort(array_agg(DISTINCT srcaddr)), 1, 10), ', ') AS srcaddrs,
    min(
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR)
    ) AS flow
FROM told
GROUP BY workload_kind, workload_id, service, cluster, account_id, dstaddr, dstport, protocol
ORDER BY
    reject_count DESC, account_id, workload_kind, workload_id, service, cluster, dstaddr, dstport, protocol
LIMIT :limit
