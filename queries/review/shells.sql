-- title: Shells and commands in tasks
-- about: ECS Exec, and Session Manager pointed straight at a task. What was typed in a shell is not in CloudTrail.
-- reads: [cloudtrail_events]
-- params:
--   cluster: {type: varchar, default: null, about: "cluster by its name, as shop"}
WITH opened AS (
    SELECT
        event_time,
        event_id,
        account_id,
        event_name,
        cluster,
        COALESCE(
            regexp_extract(json_extract_scalar(request_parameters, '$.task'), '[^/]+$'),
            regexp_extract(resource_arn, ':task/.*?([^/]+)$', 1)
        ) AS task_id,
        json_extract_scalar(request_parameters, '$.container') AS container,
        json_extract_scalar(request_parameters, '$.command') AS command,
        json_extract_scalar(response_elements, '$.session.sessionId') AS session_id,
        outcome,
        principal_arn,
        principal_name,
        hand,
        source_ip
    FROM ecs_calls
    WHERE event_name = 'ExecuteCommand'
    UNION ALL
    SELECT
        event_time,
        event_id,
        account_id,
        event_name,
        regexp_extract(json_extract_scalar(request_parameters, '$.target'), 'ecs:([^_]+)_', 1) AS cluster,
        regexp_extract(json_extract_scalar(request_parameters, '$.target'), 'ecs:[^_]+_([^_]+)', 1) AS task_id,
        CAST(NULL AS VARCHAR) AS container,
        CAST(NULL AS VARCHAR) AS command,
        json_extract_scalar(response_elements, '$.sessionId') AS session_id,
        outcome,
        principal_arn,
        principal_name,
        hand,
        source_ip
    FROM cloudtrail_events
    WHERE event_source = 'ssm.amazonaws.com'
      AND event_name = 'StartSession'
      AND json_extract_scalar(request_parameters, '$.target') LIKE 'ecs:%'
      AND invoked_by IS NULL  -- ECS Exec itself opens its session this way
)
SELECT
    event_time,
    event_name,
    cluster,
    task_id,
    container,
    command,
    outcome,
    principal_name,
    hand,
    source_ip,
    session_id,
    principal_arn,
    account_id,
    event_id
FROM opened
WHERE :cluster IS NULL
   OR cluster = :cluster
   OR cluster IS NULL
ORDER BY event_time, event_id, account_id
