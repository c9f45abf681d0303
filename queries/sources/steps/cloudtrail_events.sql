-- title: What follows from an event alone, whatever the layout it comes from
-- about: >-
--   A source that says `then: cloudtrail_events` ends where this begins: its rows are `events` here. They have what a
--   record tells by itself; who the principal is, what was acted on and how it ended is worked out below.

-- CloudTrail delivers some events twice, and overlapping trails deliver all of them twice. The id and the account tell
-- an event; the other columns are the same in every copy, and stand here so that an engine can apply a filter on them
-- before it looks for copies.
WITH numbered AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY event_id, account_id, event_time, event_source, event_name, aws_region
            ORDER BY log_file
        ) AS copy_number
    FROM events
    WHERE event_time >= :window_start
      AND event_time < :window_end
),

-- Who the permissions belong to, the same in every session: the id of a session is what follows the colon.
identified AS (
    SELECT
        *,
        CASE
            WHEN identity_type = 'Root' THEN COALESCE(identity_arn, 'arn:aws:iam::' || identity_account || ':root')
            WHEN identity_type = 'IAMUser'
            THEN COALESCE(
                identity_arn,
                -- a mistyped name may be a password, so CloudTrail hides it
                'arn:aws:iam::' || identity_account || ':user/' || NULLIF(user_name, 'HIDDEN_DUE_TO_SECURITY_REASONS')
            )
            WHEN COALESCE(identity_type, 'AWSService') = 'AWSService' AND identity_arn IS NULL THEN invoked_by
            WHEN identity_type = 'AWSAccount'  -- the role owner's copy of a call from elsewhere names no ARN
            THEN COALESCE(NULLIF(split_part(principal_id, ':', 1), ''), identity_account)
            WHEN identity_type IN ('SAMLUser', 'WebIdentityUser')  -- here what follows the colon tells users apart
            THEN COALESCE(principal_id, user_name)
            WHEN identity_type = 'IdentityCenterUser'
            THEN COALESCE(
                'arn:aws:identitystore:::user/' || NULLIF(on_behalf_of, ''),
                NULLIF(split_part(principal_id, ':', 1), '')
            )
            ELSE COALESCE(
                issuer_arn,
                regexp_replace(
                    identity_arn, '^arn:([^:]*):sts::(\d*):assumed-role/([^/]+)/.+\z', 'arn:$1:iam::$2:role/$3'
                ),
                NULLIF(split_part(principal_id, ':', 1), ''),
                user_name
            )
        END AS identity_principal,
        CASE
            WHEN identity_type IN ('Root', 'IAMUser', 'SAMLUser', 'WebIdentityUser', 'IdentityCenterUser') THEN NULL
            WHEN COALESCE(identity_type, 'AWSService') = 'AWSService' AND identity_arn IS NULL THEN NULL
            WHEN identity_type = 'AWSAccount' THEN regexp_extract(principal_id, '(?s)^[^:]*:(.+)', 1)
            ELSE COALESCE(
                regexp_extract(identity_arn, '^arn:[^:]*:sts::\d*:assumed-role/[^/]+/(.+)\z', 1),
                regexp_extract(identity_arn, '^arn:[^:]*:sts::\d*:federated-user/(.+)\z', 1),
                CASE
                    WHEN COALESCE(identity_type, '') <> 'Unknown'
                    THEN regexp_extract(principal_id, '(?s)^[^:]*:(.+)', 1)
                END
            )
        END AS session_name,
        CASE
            WHEN event_source LIKE '%.amazonaws.com' THEN substr(event_source, 1, length(event_source) - 14)
            ELSE NULLIF(event_source, '')
        END AS service,
        -- IAM puts the kind of thing before its name: "on resource: user bob because …"
        regexp_extract(
            error_message,
            'on resource: (?:(?:user|group|role|policy|instance profile) (?:(?:because|with)\b|(\S+))|\S)',
            1
        ) AS denied_name,
        TRY_CAST(json_extract(request_parameters, '$') AS MAP(VARCHAR, JSON)) AS request
    FROM numbered
    WHERE copy_number = 1
),

-- A service acts for itself where the log has no name for it but AWS Internal. What was asked for is the first that a
-- request names; the thing changed comes before what is changed about it: AttachUserPolicy acts on the user.
named AS (
    SELECT
        *,
        COALESCE(
            NULLIF(identity_principal, 'AWS Internal'),
            CASE WHEN COALESCE(identity_type, 'AWSService') = 'AWSService' THEN event_source END
        ) AS principal_arn,
        element_at(
            filter(
                transform(
                    CASE service
                        WHEN 'secretsmanager' THEN ARRAY['secretId', 'name']
                        WHEN 'iam' THEN ARRAY[
                            'userName', 'roleName', 'groupName', 'policyArn', 'instanceProfileName', 'policyName',
                            'sAMLProviderArn', 'openIDConnectProviderArn', 'serialNumber', 'virtualMFADeviceName',
                            'name', 'url', 'accessKeyId'
                        ]
                        WHEN 'sts' THEN ARRAY['roleArn', 'targetPrincipal', 'name']
                        WHEN 'ecs' THEN ARRAY[
                            'service', 'serviceName', 'task', 'taskDefinition', 'family', 'taskDefinitions', 'cluster',
                            'clusterName', 'name'
                        ]
                        WHEN 'ecr' THEN ARRAY['repositoryName', 'registryId']
                        WHEN 'ssm' THEN ARRAY[
                            'name', 'names', 'target', 'path', 'documentName', 'instanceIds', 'instanceId'
                        ]
                        WHEN 'kms' THEN ARRAY['keyId', 'aliasName']
                        WHEN 'ec2' THEN ARRAY[
                            'groupId', 'groupName', 'networkInterfaceId', 'networkAclId', 'routeTableId', 'instanceId',
                            'volumeId', 'snapshotId', 'imageId', 'internetGatewayId', 'natGatewayId', 'instancesSet',
                            'DeleteFlowLogsRequest', 'CreateFlowLogsRequest', 'ModifySecurityGroupRulesRequest',
                            'subnetId', 'vpcId'
                        ]
                        WHEN 's3' THEN ARRAY['bucketName']
                        WHEN 'cloudtrail' THEN ARRAY['trailName', 'name', 'eventDataStore']
                        WHEN 'logs' THEN ARRAY['logGroupName', 'logGroupIdentifier']
                        WHEN 'lambda' THEN ARRAY['functionName', 'layerName']
                        WHEN 'guardduty' THEN ARRAY['detectorId']
                        WHEN 'rds' THEN ARRAY['dBInstanceIdentifier', 'dBClusterIdentifier', 'dBSnapshotIdentifier']
                        WHEN 'elasticloadbalancing' THEN ARRAY['loadBalancerArn', 'targetGroupArn', 'listenerArn']
                        ELSE ARRAY[]
                    END || ARRAY['resourceArn', 'resourceARN', 'arn', 'aRN'],
                    name -> element_at(request, name)
                ),
                item -> json_format(item) NOT IN ('null', 'false', '0', '-0', '0.0', '-0.0', '""', '[]', '{}')
            ),
            1
        ) AS requested
    FROM identified
)
SELECT
    event_time,
    CAST(event_time AS DATE) AS event_date,
    event_id,
    event_source,
    service,
    event_name,
    event_type,
    event_category,
    read_only,
    aws_region,
    account_id,
    source_ip,
    user_agent,
    error_code,
    error_message,
    CASE
        WHEN error_code IS NULL AND error_message IS NULL
        THEN IF(  -- a failed console sign-in has no error
            event_name = 'ConsoleLogin'
            AND strpos(response_elements, '"Failure"') > 0
            AND strpos(response_elements, '"ConsoleLogin"') > 0,
            'denied',
            'ok'
        )
        WHEN regexp_like(error_code, '^(Client\.)?AccessDenied')
            OR error_code LIKE '%UnauthorizedOperation'
            OR error_code IN (
                'VpceAccessDenied', 'AuthorizationError', 'AuthorizationErrorException', 'Forbidden',
                'ForbiddenException', 'NotAuthorizedException', 'UnauthorizedException', 'UnauthorizedAccess'
            )
            OR strpos(error_message, 'is not authorized to perform') > 0
            OR strpos(error_message, 'Failed authentication') > 0
        THEN 'denied'
        ELSE 'error'
    END AS outcome,
    identity_type,
    principal_arn,
    COALESCE(
        NULLIF(
            IF(
                identity_type = 'Root',
                'root',
                COALESCE(issuer_name, user_name, regexp_extract(identity_principal, '[^/]*\z'))
            ),
            'AWS Internal'
        ),
        principal_arn
    ) AS principal_name,
    COALESCE(identity_account, issuer_account) AS principal_account,
    session_name,
    access_key_id,
    invoked_by,
    mfa,
    session_created,
    source_identity,
    on_behalf_of,
    COALESCE(
        element_at(filter(listed_arns, arn -> starts_with(arn, 'arn:')), 1),
        element_at(listed_arns, 1),
        CASE
            WHEN request IS NOT NULL
            THEN COALESCE(
                -- the first string that is no key and not empty: EC2 wraps ids as {"items": [{"instanceId": …}]}
                json_extract_scalar(
                    regexp_extract(
                        json_format(requested),
                        '^[^"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"\s*:[^"]*|""[^"]*)*("(?:[^"\\]|\\.)+")\s*(?:[,}\]]|\z)',
                        1
                    ),
                    '$'
                ),
                regexp_extract(request_parameters, '"(arn:aws[^"\\]*)"', 1)
            )
        END,
        NULLIF(  -- a denial names its target
            regexp_replace(
                COALESCE(NULLIF(denied_name, ''), regexp_extract(error_message, 'on resource: (\S+)', 1)),
                '[.,;:''"]+\z',
                ''
            ),
            '*'
        )
    ) AS resource_arn,
    request_parameters,
    response_elements,
    additional_event_data,
    resources,
    user_identity,
    request_id,
    shared_event_id,
    vpc_endpoint_id,
    tls_version,
    extra,
    log_file
FROM named
