-- title: Interfaces and the workloads behind them
-- about: One row for each interface, workload and span of time in which the logs show the interface as that workload's.
--   told_by says who told, flow_log before what an event lets one infer; event_id and flow are one proof of each kind,
--   made_event_id the call that made the interface. Kind unknown means that no log tells. security_groups and public_ip
--   are the last that the trail shows.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   interface: {type: varchar, default: null, about: id of one interface; NULL for all}
--   workload: {type: varchar, default: null, about: "one task id, instance id or other workload_id; NULL for all"}
--   limit: {type: bigint, default: 1000, about: most rows to return}
SELECT
    interface_id,
    account_id,
    workload_kind,
    workload_id,
    task_arn,
    task_definition_arn,
    cluster,
    service,
    role,
    private_ip,
    public_ip,
    subnet_id,
    vpc_id,
    security_groups,
    first_seen,
    last_seen,
    told_by,
    event_id,
    made_event_id,
    description,
    flow
FROM workload_interfaces
WHERE (:interface IS NULL OR interface_id = :interface)
  AND (:workload IS NULL OR workload_id = :workload)
ORDER BY interface_id, first_seen, workload_kind, workload_id
LIMIT :limit
