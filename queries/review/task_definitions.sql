-- title: Registered task definitions, container by container
-- about: One row for each container of each definition registered in the window. Of the environment only the names of
--   its variables are told. AWS hides the environment of some records; those say `not shown`.
-- reads: [cloudtrail_events]
WITH registered AS (
    SELECT
        event_time,
        event_id,
        account_id,
        aws_region,
        outcome,
        principal_arn,
        principal_name,
        hand,
        source_ip,
        json_extract_scalar(request_parameters, '$.family') AS family,
        COALESCE(
            NULLIF(
                regexp_extract(json_extract_scalar(response_elements, '$.taskDefinition.taskDefinitionArn'), '[^/]+$'),
                ''
            ),
            json_extract_scalar(request_parameters, '$.family')
        ) AS definition,
        json_extract_scalar(request_parameters, '$.taskRoleArn') AS task_role,
        json_extract_scalar(request_parameters, '$.executionRoleArn') AS execution_role,
        json_extract_scalar(request_parameters, '$.networkMode') AS network_mode,
        json_extract_scalar(request_parameters, '$.pidMode') AS pid_mode,
        TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)) AS containers
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
),
one_by_one AS (
    SELECT
        registered.*,
        container IS NULL AS is_hidden,
        json_extract_scalar(container, '$.name') AS container,
        json_extract_scalar(container, '$.image') AS image,
        regexp_replace(json_extract_scalar(container, '$.image'), '@.*$', '') AS image_name,
        COALESCE(json_extract_scalar(container, '$.privileged') = 'true', FALSE) AS privileged,
        json_extract_scalar(container, '$.user') AS container_user,
        json_extract_scalar(container, '$.logConfiguration.logDriver') AS log_driver,
        json_extract_scalar(container, '$.environment') AS environment_hidden,
        TRY_CAST(json_extract(container, '$.environment') AS ARRAY(JSON)) AS environment,
        TRY_CAST(json_extract(container, '$.environmentFiles') AS ARRAY(JSON)) AS environment_files,
        TRY_CAST(json_extract(container, '$.secrets') AS ARRAY(JSON)) AS secrets
    FROM registered
    LEFT JOIN UNNEST(containers) AS t(container) ON TRUE
)
SELECT
    event_time,
    definition,
    family,
    container,
    image,
    NULLIF(regexp_extract(image, '^([^/]*[.:][^/]*|localhost)/', 1), '') AS image_registry,
    regexp_replace(regexp_replace(image_name, '^([^/]*[.:][^/]*|localhost)/', ''), ':[^:/]*$', '') AS image_repository,
    NULLIF(regexp_extract(image_name, ':([^:/]+)$', 1), '') AS image_tag,
    NULLIF(regexp_extract(image, '@(sha256:[0-9A-Fa-f]{64})$', 1), '') AS image_digest,
    regexp_extract(task_role, '[^/]+$') AS task_role,
    regexp_extract(execution_role, '[^/]+$') AS execution_role,
    network_mode,
    pid_mode,
    privileged,
    container_user,
    CASE
        WHEN is_hidden OR environment_hidden IS NOT NULL THEN 'not shown'
        WHEN cardinality(environment) > 0 THEN 'shown'
        ELSE 'none'
    END AS environment,
    array_join(transform(environment, v -> json_extract_scalar(v, '$.name')), ', ') AS environment_names,
    array_join(transform(environment_files, v -> json_extract_scalar(v, '$.value')), ', ') AS environment_files,
    array_join(transform(secrets, v -> json_extract_scalar(v, '$.name')), ', ') AS secret_names,
    array_join(transform(secrets, v -> json_extract_scalar(v, '$.valueFrom')), ', ') AS secret_sources,
    log_driver,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    aws_region,
    event_id
FROM one_by_one
ORDER BY event_time, event_id, account_id, container, image
