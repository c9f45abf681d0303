-- title: Rejected traffic by interface and peer
-- about: One row for each interface, the workload behind it, the peer and the port; the interface's own side is told by
--   flow-direction where the flow log has it.
-- reads: [flow_records]
-- params:
--   limit: {type: bigint, default: 1000, about: most rows to return}
SELECT
    account_id,
    interface_id,
    vpc_id,
    subnet_id,
    instance_id,
    ecs_cluster_name,
    ecs_service_name,
    ecs_task_id,
    flow_direction,
    srcaddr,
    dstaddr,
    dstport,
    protocol,
    reject_reason,
    count(*) AS reject_count,
    sum(packets) AS packets,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen
FROM flow_records
WHERE action = 'REJECT'
GROUP BY
    account_id, interface_id, vpc_id, subnet_id, instance_id, ecs_cluster_name, ecs_service_name, ecs_task_id,
    flow_direction, srcaddr, dstaddr, dstport, protocol, reject_reason
ORDER BY
    reject_count DESC, account_id, interface_id, vpc_id, subnet_id, instance_id, ecs_cluster_name, ecs_service_name,
    ecs_task_id, flow_direction, srcaddr, dstaddr, dstport, protocol, reject_reason
LIMIT :limit
