-- title: Security groups of interfaces over time
-- about: One row for each interface, security group and span, as far as the trail shows, with the call that put the
--   group there and the workload whose interface it was then. until_time is NULL when no call shows the end. A task
--   whose own interface call is not logged has the groups of its RunTask, or of its service's last change before.
-- runs: here
-- reads: [cloudtrail_events, flow_records]
-- params:
--   interface: {type: varchar, default: null, about: id of one interface; NULL for all}
--   security_group: {type: varchar, default: null, about: id of one security group; NULL for all}
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH held AS (
    SELECT
        interface_groups.*,
        workload_kind,
        workload_id,
        cluster,
        service,
        row_number() OVER (
            PARTITION BY interface_groups.interface_id, group_id, from_time, interface_groups.event_id
            ORDER BY workload_interfaces.first_seen DESC, workload_id
        ) AS place
    FROM interface_groups
    LEFT JOIN workload_interfaces
        ON workload_interfaces.interface_id = interface_groups.interface_id
        AND (until_time IS NULL OR workload_interfaces.first_seen < until_time)
        AND workload_interfaces.last_seen >= from_time
)
SELECT
    interface_id,
    account_id,
    group_id,
    from_time,
    until_time,
    told_by,
    event_id,
    workload_kind,
    workload_id,
    cluster,
    service
FROM held
WHERE place = 1
  AND (:interface IS NULL OR interface_id = :interface)
  AND (:security_group IS NULL OR group_id = :security_group)
ORDER BY interface_id, from_time, group_id, event_id
LIMIT :limit
