-- title: Security groups of interfaces over time
-- about: One row for each interface, security group and span in which the trail shows the group on the interface,
--   from from_time until before until_time; NULL when nothing shows its end. The call that made the interface goes
--   before what a RunTask or the service of a task asked for. Groups put on before the window, or by calls that are
--   not logged here, are not known.
WITH calls AS (
    SELECT event_id, event_time, account_id, event_name, request_parameters, response_elements
    FROM cloudtrail_events
    WHERE outcome = 'ok'
      AND (
          (
              event_source = 'ec2.amazonaws.com'
              AND event_name IN (
                  'CreateNetworkInterface', 'DeleteNetworkInterface', 'ModifyNetworkInterfaceAttribute', 'RunInstances'
              )
          )
          OR (
              event_source = 'ecs.amazonaws.com'
              AND event_name IN ('RunTask', 'StartTask', 'CreateService', 'UpdateService', 'CreateTaskSet')
          )
      )
),
instances AS (
    SELECT
        account_id,
        event_id,
        event_time,
        TRY_CAST(json_extract(instance, '$.networkInterfaceSet.items') AS ARRAY(JSON)) AS interfaces
    FROM calls
    CROSS JOIN UNNEST(TRY_CAST(json_extract(response_elements, '$.instancesSet.items') AS ARRAY(JSON))) AS i(instance)
    WHERE event_name = 'RunInstances'
),
made_with AS (  -- the groups that an interface began with
    SELECT
        json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId') AS interface_id,
        account_id,
        event_time,
        event_id,
        event_name AS told_by,
        transform(
            TRY_CAST(json_extract(response_elements, '$.networkInterface.groupSet.items') AS ARRAY(JSON)),
            item -> json_extract_scalar(item, '$.groupId')
        ) AS group_ids
    FROM calls
    WHERE event_name = 'CreateNetworkInterface'
    UNION ALL
    SELECT
        json_extract_scalar(interface, '$.networkInterfaceId') AS interface_id,
        account_id,
        event_time,
        event_id,
        'RunInstances' AS told_by,
        transform(
            TRY_CAST(json_extract(interface, '$.groupSet.items') AS ARRAY(JSON)),
            item -> json_extract_scalar(item, '$.groupId')
        ) AS group_ids
    FROM instances
    CROSS JOIN UNNEST(interfaces) AS n(interface)
),
wanted AS (  -- the groups that ECS was asked to put on interfaces
    SELECT
        account_id,
        event_time,
        event_id,
        event_name,
        COALESCE(
            json_extract_scalar(response_elements, '$.service.serviceName'),
            json_extract_scalar(request_parameters, '$.serviceName'),
            json_extract_scalar(request_parameters, '$.service')
        ) AS service,
        COALESCE(
            json_extract_scalar(response_elements, '$.service.clusterArn'),
            json_extract_scalar(request_parameters, '$.cluster'),
            'default'
        ) AS cluster,
        TRY_CAST(json_extract(response_elements, '$.tasks') AS ARRAY(JSON)) AS tasks,
        COALESCE(
            TRY_CAST(json_extract(
                response_elements, '$.service.networkConfiguration.awsvpcConfiguration.securityGroups'
            ) AS ARRAY(VARCHAR)),
            TRY_CAST(json_extract(
                request_parameters, '$.networkConfiguration.awsvpcConfiguration.securityGroups'
            ) AS ARRAY(VARCHAR))
        ) AS group_ids
    FROM calls
    WHERE event_name IN ('RunTask', 'StartTask', 'CreateService', 'UpdateService', 'CreateTaskSet')
),
tasks_of_ecs AS (
    SELECT interface_id, account_id, workload_id, cluster, service, first_seen
    FROM workload_interfaces
    WHERE workload_kind = 'ecs_task'
      AND interface_id NOT IN (SELECT interface_id FROM made_with WHERE interface_id IS NOT NULL)
),
launches AS (
    SELECT
        wanted.event_time,
        wanted.event_id,
        wanted.event_name,
        wanted.group_ids,
        regexp_extract(json_extract_scalar(task, '$.taskArn'), '[^/]+$') AS task_id
    FROM wanted
    CROSS JOIN UNNEST(tasks) AS t(task)
    WHERE event_name IN ('RunTask', 'StartTask')
      AND cardinality(group_ids) > 0
),
steps AS (  -- of a service: what it was told to put on its tasks, and the tasks that it started, one after another
    SELECT
        account_id,
        regexp_extract(cluster, '[^/]+$') AS cluster,
        regexp_extract(service, '[^/]+$') AS service,
        event_time AS at,
        event_time AS told_at,
        CAST(NULL AS VARCHAR) AS interface_id
    FROM wanted
    WHERE event_name IN ('CreateService', 'UpdateService', 'CreateTaskSet')
      AND cardinality(group_ids) > 0
    UNION ALL
    SELECT account_id, cluster, service, first_seen AS at, CAST(NULL AS TIMESTAMP) AS told_at, interface_id
    FROM tasks_of_ecs
    WHERE service IS NOT NULL
),
started AS (
    SELECT
        account_id,
        cluster,
        service,
        at,
        interface_id,
        max(told_at) OVER (PARTITION BY account_id, cluster, service ORDER BY at) AS told_at
    FROM steps
),
group_sets AS (
    SELECT interface_id, account_id, event_time AS from_time, event_id, told_by, group_ids FROM made_with
    UNION ALL
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id,
        account_id,
        event_time AS from_time,
        event_id,
        event_name AS told_by,
        transform(
            TRY_CAST(json_extract(request_parameters, '$.groupSet.items') AS ARRAY(JSON)),
            item -> json_extract_scalar(item, '$.groupId')
        ) AS group_ids
    FROM calls
    WHERE event_name = 'ModifyNetworkInterfaceAttribute'
    UNION ALL
    SELECT
        tasks_of_ecs.interface_id, tasks_of_ecs.account_id, launches.event_time AS from_time, launches.event_id,
        launches.event_name AS told_by, launches.group_ids
    FROM tasks_of_ecs
    JOIN launches ON launches.task_id = tasks_of_ecs.workload_id
    UNION ALL
    SELECT
        started.interface_id, started.account_id, started.at AS from_time, wanted.event_id,
        wanted.event_name AS told_by, wanted.group_ids
    FROM started
    JOIN wanted
        ON wanted.account_id = started.account_id
        AND regexp_extract(wanted.cluster, '[^/]+$') = started.cluster
        AND regexp_extract(wanted.service, '[^/]+$') = started.service
        AND wanted.event_time = started.told_at
    WHERE started.interface_id IS NOT NULL
      AND wanted.event_name IN ('CreateService', 'UpdateService', 'CreateTaskSet')
      AND cardinality(wanted.group_ids) > 0
),
ended AS (
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id,
        max(event_time) AS ended_at
    FROM calls
    WHERE event_name = 'DeleteNetworkInterface'
    GROUP BY json_extract_scalar(request_parameters, '$.networkInterfaceId')
),
spans AS (
    SELECT
        group_sets.*,
        lead(from_time) OVER (PARTITION BY interface_id ORDER BY from_time, event_id) AS next_time
    FROM group_sets
    WHERE interface_id IS NOT NULL
      AND cardinality(group_ids) > 0
)
SELECT
    spans.interface_id,
    spans.account_id,
    group_id,
    spans.from_time,
    COALESCE(spans.next_time, ended.ended_at) AS until_time,
    spans.told_by,
    spans.event_id
FROM spans
CROSS JOIN UNNEST(array_distinct(group_ids)) AS g(group_id)
LEFT JOIN ended ON ended.interface_id = spans.interface_id
WHERE group_id IS NOT NULL
