-- title: Traffic of tasks, accepted and rejected
-- about: Flow records that name a task, and those of interfaces that ECS made within the window. The second kind does
--   not say which service a task belongs to.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   cluster: {type: varchar, default: null, about: "cluster by its name; tasks of an unknown one stay in"}
--   service: {type: varchar, default: null, about: "service by its name; tasks of an unknown one stay in"}
WITH interfaces AS (
    SELECT DISTINCT
        json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId') AS task_interface
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name = 'CreateNetworkInterface'
      AND json_extract_scalar(request_parameters, '$.description') LIKE 'arn:%:ecs:%:attachment/%'
      AND json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId') IS NOT NULL
),
records AS (
    SELECT
        flow_records.*,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow
    FROM flow_records
    LEFT JOIN interfaces ON task_interface = interface_id
    WHERE action IN ('ACCEPT', 'REJECT')
      AND (ecs_task_id IS NOT NULL OR task_interface IS NOT NULL)
)
SELECT
    ecs_cluster_name AS cluster,
    ecs_service_name AS ecs_service,
    flow_direction,
    action,
    count(*) AS record_count,
    sum(packets) AS packets,
    count(DISTINCT srcaddr) AS srcaddr_count,
    count(DISTINCT dstaddr) AS dstaddr_count,
    -- higher ones are mostly those of answers
    array_join(
        slice(array_sort(array_agg(DISTINCT CASE WHEN dstport < 32768 THEN dstport END)), 1, 10), ', '
    ) AS dstports,
    array_join(slice(array_sort(array_agg(DISTINCT ecs_task_id)), 1, 10), ', ') AS task_ids,
    array_join(slice(array_sort(array_agg(DISTINCT interface_id)), 1, 200), ', ') AS interface_ids,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen,
    account_id,
    min(flow) AS flow  -- the smallest, so that every engine picks the same one
FROM records
WHERE (:cluster IS NULL OR ecs_cluster_name = :cluster OR ecs_cluster_name IS NULL)
  AND (:service IS NULL OR ecs_service_name = :service OR ecs_service_name IS NULL)
GROUP BY ecs_cluster_name, ecs_service_name, flow_direction, action, account_id
ORDER BY ecs_cluster_name, ecs_service_name, flow_direction, action, account_id
