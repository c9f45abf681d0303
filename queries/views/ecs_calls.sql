-- title: Calls to ECS, with the cluster and the service that each is about
-- about: Without a cluster ECS takes the one called default. A refused call often carries no parameters; then the ARN
--   in the text of the refusal says which cluster was meant.
SELECT
    event_time,
    event_id,
    account_id,
    aws_region,
    event_name,
    read_only,
    outcome,
    principal_arn,
    principal_name,
    identity_type,
    session_name,
    source_ip,
    hand,
    resource_arn,
    request_parameters,
    response_elements,
    COALESCE(
        NULLIF(regexp_extract(json_extract_scalar(request_parameters, '$.cluster'), '[^/]+$'), ''),
        NULLIF(json_extract_scalar(request_parameters, '$.clusterName'), ''),
        NULLIF(regexp_extract(json_extract_scalar(response_elements, '$.service.clusterArn'), '[^/]+$'), ''),
        NULLIF(regexp_extract(resource_arn, ':(task|service|container-instance|task-set)/([^/]+)/', 2), ''),
        NULLIF(regexp_extract(resource_arn, ':cluster/([^/]+)$', 1), ''),
        CASE
            WHEN request_parameters IS NOT NULL
                AND regexp_like(event_name, 'Service|Task|ExecuteCommand|Daemon')
                AND NOT regexp_like(event_name, 'TaskDefinition')
                THEN 'default'
        END
    ) AS cluster,
    COALESCE(
        NULLIF(regexp_extract(json_extract_scalar(request_parameters, '$.service'), '[^/]+$'), ''),
        NULLIF(json_extract_scalar(request_parameters, '$.serviceName'), ''),
        NULLIF(regexp_extract(resource_arn, ':service/.*?([^/]+)$', 1), '')
    ) AS ecs_service
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
