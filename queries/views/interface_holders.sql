-- title: Who has an interface
-- about: >-
--   One row per interface: the workload that had it last, in words, such as `service checkout` or `instance i-0abc…`,
--   and the id of its task if it is one.
SELECT interface_id, task_id, workload
FROM (
    SELECT
        interface_id,
        CASE WHEN workload_kind = 'ecs_task' THEN workload_id END AS task_id,
        COALESCE(
            'service ' || service,
            replace(NULLIF(workload_kind, 'unknown'), '_', ' ') || COALESCE(' ' || workload_id, '')
        ) AS workload,
        row_number() OVER (
            PARTITION BY interface_id
            ORDER BY CASE WHEN workload_id IS NULL THEN 1 ELSE 0 END, last_seen DESC, workload_id, service
        ) AS place
    FROM workload_interfaces
) AS ranked
WHERE place = 1
