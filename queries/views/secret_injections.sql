-- title: Secrets that a task definition injects
-- about: One row for each registered definition, container and secret of Secrets Manager. ECS reads such a secret
--   when a task starts, with the execution role; the task's own code needs no right to it.
WITH registered AS (
    SELECT
        event_time,
        event_id,
        account_id,
        principal_arn,
        session_name,
        COALESCE(
            json_extract_scalar(response_elements, '$.taskDefinition.taskDefinitionArn'),
            json_extract_scalar(request_parameters, '$.family')
        ) AS task_definition,
        json_extract_scalar(request_parameters, '$.family') AS family,
        json_extract_scalar(request_parameters, '$.executionRoleArn') AS execution_role_arn,
        json_extract_scalar(request_parameters, '$.taskRoleArn') AS task_role_arn,
        TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)) AS containers
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name = 'RegisterTaskDefinition'
      AND outcome = 'ok'
),
injected AS (
    SELECT
        registered.*,
        json_extract_scalar(container, '$.name') AS container,
        json_extract_scalar(one_secret, '$.name') AS variable,
        json_extract_scalar(one_secret, '$.valueFrom') AS value_from
    FROM registered
    CROSS JOIN UNNEST(containers) AS c(container)
    CROSS JOIN UNNEST(TRY_CAST(json_extract(container, '$.secrets') AS ARRAY(JSON))) AS s(one_secret)
)
SELECT
    -- behind the name stand six random characters, and a key of the secret's JSON where only that is wanted
    regexp_extract(value_from, '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:([^:]+?)(?:-[A-Za-z0-9]{6})?(?::.*)?$', 1)
        AS secret,
    value_from,
    variable,
    container,
    task_definition,
    family,
    execution_role_arn,
    task_role_arn,
    principal_arn AS registered_by,
    session_name AS registered_by_session,
    account_id,
    event_time AS registered_at,
    event_id
FROM injected
WHERE value_from LIKE 'arn:%:secretsmanager:%'
