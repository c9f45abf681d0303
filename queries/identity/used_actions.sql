-- title: What principals called
-- about: >-
--   The API calls of the principals, the things they named, and how it went. Calls that named the same things are one
--   group, with one proof, and give a row for each thing; `named_by` says where it was named. A call that a service
--   made on a principal's behalf (`invoked_by`) needs the principal's permission, so it is here. What services did by
--   themselves, sign-ins, console actions that are no API calls, Insights and aggregated events are not.
-- reads: [cloudtrail_events]
-- params:
--   principals: {type: array(varchar), about: "principal ARNs, as in principal_arn"}
WITH called AS (
    SELECT
        principal_arn,
        account_id,
        aws_region,
        event_source,
        event_name,
        COALESCE(event_category, 'Management') AS event_category,
        outcome,
        invoked_by,
        event_time,
        event_id,
        -- the action that was refused need not be the call: RegisterTaskDefinition fails for want of iam:PassRole
        CASE WHEN outcome = 'denied' THEN NULLIF(
            regexp_extract(error_message, 'not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)', 1), ''
        ) END AS denied_action,
        CASE WHEN event_source = 'ecs.amazonaws.com'
            THEN COALESCE(json_extract_scalar(request_parameters, '$.cluster'), 'default')
        END AS cluster,
        resource_arn,
        COALESCE(resources, '') AS resources,
        COALESCE(request_parameters, '') AS request,
        filter(
            CASE event_source
                WHEN 'iam.amazonaws.com' THEN ARRAY[
                    'userName=' || json_extract_scalar(request_parameters, '$.userName'),
                    'roleName=' || json_extract_scalar(request_parameters, '$.roleName'),
                    'groupName=' || json_extract_scalar(request_parameters, '$.groupName'),
                    'instanceProfileName=' || json_extract_scalar(request_parameters, '$.instanceProfileName'),
                    'policyName=' || json_extract_scalar(request_parameters, '$.policyName'),
                    'serverCertificateName=' || json_extract_scalar(request_parameters, '$.serverCertificateName'),
                    'virtualMFADeviceName=' || json_extract_scalar(request_parameters, '$.virtualMFADeviceName'),
                    'name=' || json_extract_scalar(request_parameters, '$.name')
                ]
                WHEN 'ecs.amazonaws.com' THEN ARRAY[
                    'cluster=' || json_extract_scalar(request_parameters, '$.cluster'),
                    'clusterName=' || json_extract_scalar(request_parameters, '$.clusterName'),
                    'service=' || json_extract_scalar(request_parameters, '$.service'),
                    'serviceName=' || json_extract_scalar(request_parameters, '$.serviceName'),
                    'task=' || json_extract_scalar(request_parameters, '$.task'),
                    'taskDefinition=' || json_extract_scalar(request_parameters, '$.taskDefinition'),
                    'family=' || json_extract_scalar(request_parameters, '$.family'),
                    'containerInstance=' || json_extract_scalar(request_parameters, '$.containerInstance')
                ]
                WHEN 'secretsmanager.amazonaws.com' THEN ARRAY[
                    'secretId=' || json_extract_scalar(request_parameters, '$.secretId'),
                    'name=' || json_extract_scalar(request_parameters, '$.name')
                ]
                WHEN 'ssm.amazonaws.com' THEN ARRAY[
                    'name=' || json_extract_scalar(request_parameters, '$.name'),
                    'path=' || json_extract_scalar(request_parameters, '$.path'),
                    'documentName=' || json_extract_scalar(request_parameters, '$.documentName'),
                    'instanceId=' || json_extract_scalar(request_parameters, '$.instanceId'),
                    'target=' || json_extract_scalar(request_parameters, '$.target'),
                    'sessionId=' || json_extract_scalar(request_parameters, '$.sessionId')
                ]
                WHEN 'kms.amazonaws.com' THEN ARRAY[
                    'keyId=' || json_extract_scalar(request_parameters, '$.keyId'),
                    'targetKeyId=' || json_extract_scalar(request_parameters, '$.targetKeyId'),
                    'aliasName=' || json_extract_scalar(request_parameters, '$.aliasName')
                ]
                WHEN 's3.amazonaws.com' THEN ARRAY[
                    'bucketName=' || json_extract_scalar(request_parameters, '$.bucketName'),
                    'key=' || json_extract_scalar(request_parameters, '$.bucketName')
                        || '/' || json_extract_scalar(request_parameters, '$.key')
                ]
                WHEN 'ec2.amazonaws.com' THEN ARRAY[
                    -- by its top alone: a rule of a group names others, which nothing is done to
                    'groupId=' || json_extract_scalar(request_parameters, '$.groupId'),
                    'keyName=' || json_extract_scalar(request_parameters, '$.keyName')
                ]
                WHEN 'lambda.amazonaws.com' THEN ARRAY[
                    'functionName=' || json_extract_scalar(request_parameters, '$.functionName'),
                    'layerName=' || json_extract_scalar(request_parameters, '$.layerName')
                ]
                WHEN 'logs.amazonaws.com' THEN ARRAY[
                    'logGroupName=' || json_extract_scalar(request_parameters, '$.logGroupName'),
                    'logGroupIdentifier=' || json_extract_scalar(request_parameters, '$.logGroupIdentifier')
                ]
                WHEN 'rds.amazonaws.com' THEN ARRAY[
                    'dBInstanceIdentifier=' || json_extract_scalar(request_parameters, '$.dBInstanceIdentifier'),
                    'dBClusterIdentifier=' || json_extract_scalar(request_parameters, '$.dBClusterIdentifier'),
                    'dBSnapshotIdentifier=' || json_extract_scalar(request_parameters, '$.dBSnapshotIdentifier'),
                    'dBClusterSnapshotIdentifier='
                        || json_extract_scalar(request_parameters, '$.dBClusterSnapshotIdentifier'),
                    'dBSubnetGroupName=' || json_extract_scalar(request_parameters, '$.dBSubnetGroupName'),
                    'dBParameterGroupName=' || json_extract_scalar(request_parameters, '$.dBParameterGroupName')
                ]
                WHEN 'cloudtrail.amazonaws.com' THEN ARRAY[
                    'trailName=' || json_extract_scalar(request_parameters, '$.trailName'),
                    'name=' || json_extract_scalar(request_parameters, '$.name')
                ]
                WHEN 'cloudformation.amazonaws.com' THEN ARRAY[
                    'stackName=' || json_extract_scalar(request_parameters, '$.stackName')
                ]
                WHEN 'events.amazonaws.com' THEN ARRAY[
                    'rule=' || json_extract_scalar(request_parameters, '$.rule'),
                    'name=' || json_extract_scalar(request_parameters, '$.name')
                ]
                ELSE ARRAY[
                    'repositoryName=' || json_extract_scalar(request_parameters, '$.repositoryName'),
                    'tableName=' || json_extract_scalar(request_parameters, '$.tableName'),
                    'queueUrl=' || json_extract_scalar(request_parameters, '$.queueUrl'),
                    'modelId=' || json_extract_scalar(request_parameters, '$.modelId')
                ]
            END,
            thing -> thing IS NOT NULL
        ) AS single_names,
        CASE event_source
            WHEN 'ecs.amazonaws.com' THEN concat(
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.clusters') AS ARRAY(VARCHAR)), ARRAY[]),
                    name -> 'clusters=' || name
                ),
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.services') AS ARRAY(VARCHAR)), ARRAY[]),
                    name -> 'services=' || name
                ),
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.tasks') AS ARRAY(VARCHAR)), ARRAY[]),
                    name -> 'tasks=' || name
                ),
                transform(
                    COALESCE(
                        TRY_CAST(json_extract(request_parameters, '$.containerInstances') AS ARRAY(VARCHAR)), ARRAY[]
                    ),
                    name -> 'containerInstances=' || name
                )
            )
            WHEN 'ssm.amazonaws.com' THEN concat(
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.names') AS ARRAY(VARCHAR)), ARRAY[]),
                    name -> 'names=' || name
                ),
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.instanceIds') AS ARRAY(VARCHAR)), ARRAY[]),
                    name -> 'instanceIds=' || name
                )
            )
            WHEN 'secretsmanager.amazonaws.com' THEN transform(
                COALESCE(TRY_CAST(json_extract(request_parameters, '$.secretIdList') AS ARRAY(VARCHAR)), ARRAY[]),
                name -> 'secretIdList=' || name
            )
            WHEN 'ecr.amazonaws.com' THEN transform(
                COALESCE(TRY_CAST(json_extract(request_parameters, '$.repositoryNames') AS ARRAY(VARCHAR)), ARRAY[]),
                name -> 'repositoryNames=' || name
            )
            WHEN 'cloudtrail.amazonaws.com' THEN transform(
                COALESCE(TRY_CAST(json_extract(request_parameters, '$.trailNameList') AS ARRAY(VARCHAR)), ARRAY[]),
                name -> 'trailNameList=' || name
            )
            ELSE ARRAY[]
        END AS listed_names
    FROM cloudtrail_events
    WHERE principal_arn IN (:principals)
      AND COALESCE(event_type, 'AwsApiCall') = 'AwsApiCall'
      AND COALESCE(event_category, 'Management') IN ('Management', 'Data')
      AND event_source <> 'signin.amazonaws.com'
),
named AS (
    SELECT
        called.*,
        array_sort(array_distinct(filter(
            concat(
                transform(regexp_extract_all(resources, '"ARN"\s*:\s*"(arn:[^"\\]+)"', 1), arn -> 'resources=' || arn),
                -- whole texts only: what a policy document inside the request names is not acted on
                transform(regexp_extract_all(request, '"(arn:[^"\\]+)"', 1), arn -> 'request=' || arn),
                CASE WHEN event_source = 'ec2.amazonaws.com' AND NOT regexp_like(event_name, 'SecurityGroup(In|E)gress')
                    THEN transform(
                        regexp_extract_all(request, '"([a-z]{1,9}-[0-9a-f]{8,17})"', 1),
                        id -> 'id=' || id
                    )
                    ELSE ARRAY[]
                END,
                CASE WHEN outcome = 'denied' AND resource_arn IS NOT NULL
                    THEN ARRAY['denial=' || resource_arn]
                    ELSE ARRAY[]
                END,
                filter(concat(single_names, listed_names), thing -> NOT regexp_like(thing, '^[A-Za-z]+=arn:'))
            ),
            thing -> thing IS NOT NULL
        ))) AS things
    FROM called
),
alike AS (
    SELECT
        principal_arn,
        account_id,
        aws_region,
        event_source,
        event_name,
        event_category,
        outcome,
        denied_action,
        invoked_by,
        cluster,
        things,
        count(*) AS event_count,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        min(event_id) AS event_id
    FROM named
    GROUP BY
        principal_arn, account_id, aws_region, event_source, event_name, event_category, outcome, denied_action,
        invoked_by, cluster, things
)
SELECT
    principal_arn,
    account_id,
    aws_region,
    event_source,
    event_name,
    event_category,
    outcome,
    denied_action,
    invoked_by,
    cluster,
    split_part(thing, '=', 1) AS named_by,
    substr(thing, strpos(thing, '=') + 1) AS resource,
    event_count,
    first_seen,
    last_seen,
    event_id
FROM alike
LEFT JOIN UNNEST(things) AS each(thing) ON TRUE
ORDER BY
    principal_arn, event_source, event_name, outcome, denied_action, invoked_by, account_id, aws_region,
    event_category, cluster, event_id, named_by, resource
