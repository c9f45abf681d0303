-- title: ECS task definitions, deployments and tasks
-- about: What ties a task to its definition, service, cluster, roles and makers, one step a row. `registered` is a task
--   definition and who made it, `deployed` a service set to one, `changed` a service changed otherwise, such as its
--   number of tasks, `started` a task that somebody ran, `credentials` a role handed to a task, `seen` a task in the
--   flow log. CloudTrail does not record which tasks a service starts; the flow log's ECS fields, and the name of the
--   role's session, which is the task's id, tell it. Each row has its proof, an event or a flow.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   tasks: {type: array(varchar), default: null, about: "of tasks started, seen or given credentials, only these"}
WITH calls AS (
    SELECT
        event_time,
        event_id,
        event_name,
        account_id,
        aws_region,
        principal_arn,
        principal_account,
        identity_type,
        session_name,
        access_key_id,
        source_ip,
        request_parameters AS request,
        response_elements AS response,
        regexp_replace(COALESCE(json_extract_scalar(request_parameters, '$.cluster'), 'default'), '^.*/', '') AS cluster
    FROM cloudtrail_events
    WHERE service = 'ecs'
      AND event_name IN (
          'RegisterTaskDefinition', 'CreateService', 'UpdateService', 'CreateTaskSet', 'RunTask', 'StartTask'
      )
      AND outcome = 'ok'
),
registered AS (
    SELECT
        'registered' AS step,
        calls.*,
        CAST(NULL AS VARCHAR) AS service,
        json_extract_scalar(response, '$.taskDefinition.taskDefinitionArn') AS definition,
        CAST(NULL AS VARCHAR) AS task_id,
        json_extract_scalar(request, '$.taskRoleArn') AS task_role_arn,
        json_extract_scalar(request, '$.executionRoleArn') AS execution_role_arn,
        array_join(
            array_sort(array_distinct(regexp_extract_all(request, '"valueFrom"\s*:\s*"([^"]*)"', 1))), ', '
        ) AS secrets,
        array_join(
            array_sort(array_distinct(regexp_extract_all(request, '"image"\s*:\s*"([^"]*)"', 1))), ', '
        ) AS images
    FROM calls
    WHERE event_name = 'RegisterTaskDefinition'
),
deployed AS (
    SELECT
        CASE
            WHEN event_name <> 'UpdateService'
                OR json_extract_scalar(request, '$.taskDefinition') IS NOT NULL
                OR json_extract_scalar(request, '$.forceNewDeployment') = 'true' THEN 'deployed'
            ELSE 'changed'
        END AS step,
        calls.*,
        regexp_replace(
            COALESCE(json_extract_scalar(request, '$.serviceName'), json_extract_scalar(request, '$.service')),
            '^.*/',
            ''
        ) AS service,
        COALESCE(
            json_extract_scalar(response, '$.service.taskDefinition'),
            json_extract_scalar(response, '$.taskSet.taskDefinition'),
            json_extract_scalar(request, '$.taskDefinition')
        ) AS definition
    FROM calls
    WHERE event_name IN ('CreateService', 'UpdateService', 'CreateTaskSet')
),
started AS (
    SELECT
        'started' AS step,
        calls.*,
        json_extract_scalar(task, '$.taskDefinitionArn') AS definition,
        regexp_replace(json_extract_scalar(task, '$.taskArn'), '^.*/', '') AS task_id,
        json_extract_scalar(request, '$.overrides.taskRoleArn') AS task_role_arn,
        json_extract_scalar(request, '$.overrides.executionRoleArn') AS execution_role_arn
    FROM calls
    CROSS JOIN UNNEST(TRY_CAST(json_extract(response, '$.tasks') AS ARRAY(JSON))) AS t(task)
    WHERE event_name IN ('RunTask', 'StartTask')
),
credentials AS (
    SELECT
        'credentials' AS step,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS record_count,
        min(event_id) AS event_id,
        account_id,
        min(aws_region) AS aws_region,
        json_extract_scalar(request_parameters, '$.roleSessionName') AS task_id,
        json_extract_scalar(request_parameters, '$.roleArn') AS task_role_arn
    FROM cloudtrail_events
    WHERE service = 'sts'
      AND event_name = 'AssumeRole'
      AND invoked_by = 'ecs-tasks.amazonaws.com'
      AND outcome = 'ok'
    GROUP BY
        account_id,
        json_extract_scalar(request_parameters, '$.roleSessionName'),
        json_extract_scalar(request_parameters, '$.roleArn')
),
seen AS (
    SELECT
        'seen' AS step,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count,
        account_id,
        min(NULLIF(regexp_extract(ecs_task_definition_arn, '^arn:[^:]*:ecs:([^:]*):', 1), '')) AS aws_region,
        max(ecs_cluster_name) AS cluster,
        max(ecs_service_name) AS service,
        max(ecs_task_definition_arn) AS definition,
        ecs_task_id AS task_id,
        array_join(array_sort(array_agg(DISTINCT interface_id)), ', ') AS interface_ids,
        min(
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        ) AS flow
    FROM flow_records
    WHERE ecs_task_id IS NOT NULL
    GROUP BY account_id, ecs_task_id
),
steps AS (
    SELECT
        step, event_time AS first_seen, event_time AS last_seen, 1 AS record_count, event_id,
        CAST(NULL AS VARCHAR) AS flow, event_name, account_id, aws_region, principal_arn, principal_account,
        identity_type, session_name, access_key_id, source_ip, CAST(NULL AS VARCHAR) AS cluster, service, definition,
        task_id, task_role_arn, execution_role_arn, secrets, images, CAST(NULL AS VARCHAR) AS interface_ids
    FROM registered
    UNION ALL
    SELECT
        step, event_time, event_time, 1, event_id, NULL, event_name, account_id, aws_region, principal_arn,
        principal_account, identity_type, session_name, access_key_id, source_ip, cluster, service, definition, NULL,
        NULL, NULL, NULL, NULL, NULL
    FROM deployed
    UNION ALL
    SELECT
        step, event_time, event_time, 1, event_id, NULL, event_name, account_id, aws_region, principal_arn,
        principal_account, identity_type, session_name, access_key_id, source_ip, cluster, NULL, definition, task_id,
        task_role_arn, execution_role_arn, NULL, NULL, NULL
    FROM started
    UNION ALL
    SELECT
        step, first_seen, last_seen, record_count, event_id, NULL, 'AssumeRole', account_id, aws_region,
        'ecs-tasks.amazonaws.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, task_id, task_role_arn, NULL, NULL,
        NULL, NULL
    FROM credentials
    UNION ALL
    SELECT
        step, first_seen, last_seen, record_count, NULL, flow, NULL, account_id, aws_region, NULL, NULL, NULL, NULL,
        NULL, NULL, cluster, service, definition, task_id, NULL, NULL, NULL, NULL, interface_ids
    FROM seen
)
SELECT
    step,
    first_seen,
    last_seen,
    record_count,
    event_id,
    flow,
    event_name,
    account_id,
    aws_region,
    principal_arn,
    principal_account,
    identity_type,
    session_name,
    access_key_id,
    source_ip,
    cluster,
    service,
    regexp_replace(definition, '^.*/', '') AS task_definition,  -- family:revision
    task_id,
    task_role_arn,
    execution_role_arn,
    secrets,
    images,
    interface_ids
FROM steps
WHERE (:tasks IS NULL OR task_id IS NULL OR task_id IN (:tasks))
ORDER BY first_seen, step, account_id, aws_region, event_id, task_id, task_role_arn
