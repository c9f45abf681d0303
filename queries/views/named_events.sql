-- title: Events with the names of what they are about
-- about: One row an event, with the secret, and the ECS task, service and cluster, that the call names. A secret goes
--   by its name, without its ARN and the six characters that AWS adds; a task, service or cluster by the end of its
--   ARN. key_named is the access key that a call to IAM makes, changes or deletes.
WITH named AS (
    SELECT
        event_time,
        event_id,
        account_id,
        service,
        event_name,
        read_only,
        outcome,
        error_code,
        error_message,
        identity_type,
        principal_arn,
        principal_name,
        principal_account,
        session_name,
        access_key_id,
        invoked_by,
        source_ip,
        user_agent,
        resource_arn,
        CASE WHEN event_name IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey')
            THEN COALESCE(
                json_extract_scalar(request_parameters, '$.accessKeyId'),
                json_extract_scalar(response_elements, '$.accessKey.accessKeyId')
            )
        END AS key_named,
        CASE WHEN service = 'secretsmanager'
            THEN COALESCE(json_extract_scalar(request_parameters, '$.secretId'), resource_arn)
        END AS secret_id,
        CASE WHEN service = 'ecs'
            THEN COALESCE(
                json_extract_scalar(request_parameters, '$.task'),
                CASE WHEN strpos(resource_arn, ':task/') > 0 THEN resource_arn END
            )
        END AS task,
        CASE WHEN service = 'ecs'
            THEN COALESCE(
                json_extract_scalar(request_parameters, '$.service'),
                json_extract_scalar(request_parameters, '$.serviceName'),
                CASE WHEN strpos(resource_arn, ':service/') > 0 THEN resource_arn END
            )
        END AS task_service,
        CASE WHEN service = 'ecs'
            THEN COALESCE(
                json_extract_scalar(request_parameters, '$.cluster'),
                json_extract_scalar(request_parameters, '$.clusterName'),
                NULLIF(regexp_extract(resource_arn, ':cluster/([^/]+)$', 1), ''),
                NULLIF(regexp_extract(resource_arn, ':(?:task|service)/([^/]+)/', 1), ''),
                CASE  -- who names no cluster means the one of this name
                    WHEN event_name IN ('RunTask', 'StartTask', 'CreateService', 'UpdateService', 'ExecuteCommand')
                        AND outcome = 'ok' THEN 'default'
                END
            )
        END AS cluster
    FROM cloudtrail_events
)
SELECT
    event_time,
    event_id,
    account_id,
    service,
    event_name,
    read_only,
    outcome,
    error_code,
    error_message,
    identity_type,
    principal_arn,
    principal_name,
    principal_account,
    session_name,
    access_key_id,
    invoked_by,
    source_ip,
    user_agent,
    resource_arn,
    key_named,
    regexp_replace(
        -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
        CASE
            WHEN regexp_like(regexp_extract(secret_id, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                THEN regexp_replace(secret_id, '-[A-Za-z0-9]{6}$', '')
            ELSE secret_id
        END,
        '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
        ''
    ) AS secret,
    regexp_replace(task, '^.*/', '') AS task_id,
    regexp_replace(task_service, '^.*/', '') AS ecs_service,
    regexp_replace(cluster, '^.*/', '') AS ecs_cluster
FROM named
