-- title: Changes of what the network lets through
-- about: >-
--   One row per thing that one session changed within one minute, since a tool like Terraform takes a rule away and
--   puts another in its place: a security group, a network ACL, a route table, an interface, or an ECS service that
--   was deployed. from_port to to_port are the ports it is about, NULL where it is about all, or the event does not
--   say; can_close and can_open tell what such a change can do to traffic. target is what the thing stands in, where
--   the event says so: the cluster of a service, the subnet of a network ACL or route table.
WITH calls AS (
    SELECT
        CASE
            WHEN event_name LIKE '%SecurityGroup%' THEN 'security_group'
            WHEN event_name LIKE '%NetworkAcl%' THEN 'network_acl'
            WHEN event_name LIKE '%Route%' THEN 'route_table'
            WHEN event_name = 'ModifyNetworkInterfaceAttribute' THEN 'interface'
            ELSE 'deployment'
        END AS changed,
        account_id,
        aws_region,
        principal_arn,
        session_name,
        event_time,
        event_id,
        event_name,
        request_parameters,
        response_elements
    FROM cloudtrail_events
    WHERE outcome = 'ok'
      AND (
          event_source = 'ec2.amazonaws.com' AND event_name IN (
              'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress',
              'RevokeSecurityGroupEgress', 'ModifySecurityGroupRules', 'ModifyNetworkInterfaceAttribute',
              'CreateNetworkAclEntry', 'ReplaceNetworkAclEntry', 'DeleteNetworkAclEntry',
              'ReplaceNetworkAclAssociation', 'CreateRoute', 'ReplaceRoute', 'DeleteRoute', 'AssociateRouteTable',
              'DisassociateRouteTable', 'ReplaceRouteTableAssociation'
          )
          OR event_source = 'ecs.amazonaws.com'
          AND event_name IN ('CreateService', 'UpdateService', 'DeleteService', 'CreateTaskSet')
      )
      AND CASE event_name
          -- a service that only grows or shrinks is deployed anew by nobody
          WHEN 'UpdateService'
          THEN regexp_like(request_parameters, '"(taskDefinition|forceNewDeployment|networkConfiguration)"')
          WHEN 'ModifyNetworkInterfaceAttribute' THEN regexp_like(request_parameters, '"groupSet"')
          ELSE TRUE
      END
),
things AS (
    SELECT
        calls.*,
        CASE changed
            WHEN 'security_group' THEN COALESCE(
                json_extract_scalar(request_parameters, '$.groupId'),
                json_extract_scalar(request_parameters, '$.ModifySecurityGroupRulesRequest.GroupId')
            )
            WHEN 'network_acl' THEN json_extract_scalar(request_parameters, '$.networkAclId')
            WHEN 'route_table' THEN json_extract_scalar(request_parameters, '$.routeTableId')
            WHEN 'interface' THEN json_extract_scalar(request_parameters, '$.networkInterfaceId')
            ELSE regexp_extract(
                COALESCE(
                    json_extract_scalar(request_parameters, '$.service'),
                    json_extract_scalar(request_parameters, '$.serviceName')
                ),
                '[^/]+$'  -- a name or an ARN
            )
        END AS thing,
        CASE
            WHEN changed = 'deployment' THEN COALESCE(
                regexp_extract(json_extract_scalar(request_parameters, '$.cluster'), '[^/]+$'), 'default'
            )
            ELSE json_extract_scalar(request_parameters, '$.subnetId')
        END AS target,
        COALESCE(
            TRY_CAST(json_extract(request_parameters, '$.ipPermissions.items') AS ARRAY(JSON)),
            ARRAY[json_extract(request_parameters, '$')]
        ) AS permissions
    FROM calls
),
ports AS (
    SELECT
        things.*,
        COALESCE(
            TRY_CAST(json_extract_scalar(permission, '$.fromPort') AS BIGINT),
            TRY_CAST(json_extract_scalar(permission, '$.portRange.from') AS BIGINT)
        ) AS from_port,
        COALESCE(
            TRY_CAST(json_extract_scalar(permission, '$.toPort') AS BIGINT),
            TRY_CAST(json_extract_scalar(permission, '$.portRange.to') AS BIGINT)
        ) AS to_port
    FROM things
    CROSS JOIN UNNEST(permissions) AS t(permission)
    WHERE thing IS NOT NULL
)
SELECT
    changed,
    thing,
    target,
    account_id,
    aws_region,
    principal_arn,
    session_name,
    count(DISTINCT event_id) AS event_count,
    array_join(array_agg(DISTINCT event_name ORDER BY event_name), ', ') AS event_names,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    min(event_id) AS event_id,
    CASE WHEN count(from_port) = count(*) THEN min(from_port) END AS from_port,
    CASE WHEN count(to_port) = count(*) THEN max(to_port) END AS to_port,
    count_if(event_name NOT LIKE 'Authorize%') > 0 AS can_close,
    count_if(event_name NOT LIKE 'Revoke%') > 0 AS can_open
FROM ports
GROUP BY
    changed, thing, target, account_id, aws_region, principal_arn, session_name, date_trunc('minute', event_time)
