-- title: What was deployed and started, with its network, its shell and its roles
-- about: Services made and changed, and tasks started. What a call leaves out stays as it was; such columns are empty
--   unless the answer of AWS tells them. Tasks that a service starts make no such event.
-- reads: [cloudtrail_events]
-- params:
--   cluster: {type: varchar, default: null, about: "cluster by its name, as shop"}
--   service: {type: varchar, default: null, about: "service by its name; tasks started without one stay in"}
WITH told AS (
    SELECT
        ecs_calls.*,
        COALESCE(
            json_extract(response_elements, '$.service.networkConfiguration.awsvpcConfiguration'),
            json_extract(request_parameters, '$.networkConfiguration.awsvpcConfiguration')
        ) AS network,
        COALESCE(
            json_extract_scalar(response_elements, '$.service.enableExecuteCommand'),
            json_extract_scalar(request_parameters, '$.enableExecuteCommand'),
            CASE WHEN event_name IN ('CreateService', 'RunTask', 'StartTask') AND request_parameters IS NOT NULL
                THEN 'false'  -- what ECS does when a call does not say
            END
        ) AS exec
    FROM ecs_calls
    WHERE event_name IN (
        'CreateService', 'UpdateService', 'RunTask', 'StartTask', 'CreateTaskSet', 'CreateDaemon', 'UpdateDaemon'
    )
)
SELECT
    event_time,
    event_name,
    cluster,
    ecs_service,
    regexp_extract(
        COALESCE(
            json_extract_scalar(response_elements, '$.service.taskDefinition'),
            json_extract_scalar(request_parameters, '$.taskDefinition'),
            json_extract_scalar(request_parameters, '$.daemonTaskDefinitionArn')
        ),
        '[^/]+$'
    ) AS definition,
    TRY_CAST(json_extract_scalar(request_parameters, '$.desiredCount') AS BIGINT) AS desired_count,
    array_join(TRY_CAST(json_extract(network, '$.securityGroups') AS ARRAY(VARCHAR)), ', ') AS security_groups,
    array_join(TRY_CAST(json_extract(network, '$.subnets') AS ARRAY(VARCHAR)), ', ') AS subnets,
    json_extract_scalar(network, '$.assignPublicIp') AS public_ip,
    CASE exec WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END AS exec_enabled,
    regexp_extract(json_extract_scalar(request_parameters, '$.overrides.taskRoleArn'), '[^/]+$') AS role_override,
    json_extract_scalar(request_parameters, '$.startedBy') AS started_by,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    aws_region,
    event_id
FROM told
WHERE (:cluster IS NULL OR cluster = :cluster)
  AND (:service IS NULL OR ecs_service = :service OR ecs_service IS NULL)
ORDER BY event_time, event_id, account_id
