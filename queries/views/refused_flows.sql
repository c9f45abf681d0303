-- title: What the network refused
-- about: >-
--   Each rejected flow record, with the task and the workload that it tells, else those that had the interface last;
--   flow is the record in words.
SELECT
    account_id,
    flow_records.interface_id,
    COALESCE(ecs_task_id, task_id) AS task_id,
    COALESCE('service ' || ecs_service_name, 'ecs task ' || ecs_task_id, workload) AS workload,
    srcaddr,
    dstaddr,
    pkt_srcaddr,
    dstport,
    protocol,
    start_time,
    COALESCE(end_time, start_time) AS end_time,
    flow_records.interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
        || CAST(protocol AS VARCHAR) AS flow
FROM flow_records
LEFT JOIN interface_holders ON interface_holders.interface_id = flow_records.interface_id
WHERE action = 'REJECT'
