-- title: Which roles principals handed to services
-- about: >-
--   iam:PassRole is no event of its own: it is needed where a call gives a service a role to act with, and was there
--   when that call succeeded, so calls that failed are not here. Of an instance profile the log tells the name, not the
--   role in it. `passed_to` is the service that gets the role, where the call is sure of it. Service-linked roles need
--   no PassRole and are left out, and so are roles that were named to list or describe something.
-- reads: [cloudtrail_events]
-- params:
--   principals: {type: array(varchar), about: "principal ARNs, as in principal_arn"}
WITH calls AS (
    SELECT
        principal_arn,
        account_id,
        event_source,
        event_name,
        event_time,
        event_id,
        -- who gets it | what it is | its ARN or name
        CASE
            WHEN event_source = 'ecs.amazonaws.com' THEN ARRAY[
                'ecs-tasks.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.taskRoleArn'),
                'ecs-tasks.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.executionRoleArn'),
                'ecs-tasks.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.overrides.taskRoleArn'),
                'ecs-tasks.amazonaws.com|role|'
                    || json_extract_scalar(request_parameters, '$.overrides.executionRoleArn'),
                'ecs.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.role'),
                'ecs.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.infrastructureRoleArn')
            ]
            WHEN event_source = 'lambda.amazonaws.com' THEN ARRAY[
                'lambda.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.role')
            ]
            -- {"iamInstanceProfile": {"name": …}}, or with other capitals under AssociateIamInstanceProfileRequest
            WHEN event_source = 'ec2.amazonaws.com' AND regexp_like(event_name, '^RunInstances$|IamInstanceProfile')
            THEN ARRAY['ec2.amazonaws.com|instance_profile|' || regexp_extract(
                request_parameters,
                '(?i)"iamInstanceProfile"\s*:\s*\{\s*"(arn|name)"\s*:\s*"([^"\\]+)"',
                2
            )]
            WHEN event_source = 'iam.amazonaws.com' AND event_name = 'AddRoleToInstanceProfile' THEN ARRAY[
                '|role|' || json_extract_scalar(request_parameters, '$.roleName')
            ]
            WHEN event_source = 'batch.amazonaws.com' THEN ARRAY[
                'ecs-tasks.amazonaws.com|role|'
                    || json_extract_scalar(request_parameters, '$.containerProperties.jobRoleArn'),
                'ecs-tasks.amazonaws.com|role|'
                    || json_extract_scalar(request_parameters, '$.containerProperties.executionRoleArn'),
                'batch.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.serviceRole')
            ]
            WHEN event_source = 'events.amazonaws.com' THEN concat(
                ARRAY['events.amazonaws.com|role|' || json_extract_scalar(request_parameters, '$.roleArn')],
                transform(
                    COALESCE(TRY_CAST(json_extract(request_parameters, '$.targets') AS ARRAY(JSON)), ARRAY[]),
                    target -> 'events.amazonaws.com|role|' || json_extract_scalar(target, '$.roleArn')
                )
            )
            WHEN event_source IN (
                'states.amazonaws.com', 'glue.amazonaws.com', 'codebuild.amazonaws.com', 'codepipeline.amazonaws.com',
                'cloudformation.amazonaws.com', 'sagemaker.amazonaws.com', 'scheduler.amazonaws.com',
                'pipes.amazonaws.com', 'firehose.amazonaws.com'
            ) THEN transform(
                ARRAY[
                    json_extract_scalar(request_parameters, '$.roleArn'),
                    json_extract_scalar(request_parameters, '$.roleARN'),
                    json_extract_scalar(request_parameters, '$.role'),
                    json_extract_scalar(request_parameters, '$.serviceRole'),
                    json_extract_scalar(request_parameters, '$.executionRoleArn'),
                    json_extract_scalar(request_parameters, '$.jobUpdate.role'),
                    json_extract_scalar(request_parameters, '$.pipeline.roleArn'),
                    json_extract_scalar(request_parameters, '$.target.roleArn')
                ],
                role -> event_source || '|role|' || role
            )
            -- of these the log does not tell which service gets the role
            WHEN event_source NOT IN ('sts.amazonaws.com', 'iam.amazonaws.com', 'signin.amazonaws.com') THEN transform(
                regexp_extract_all(
                    request_parameters,
                    '(?i)"[a-z]*role(arn)?"\s*:\s*"(arn:[^"\\]+:role/[^"\\]+)"',
                    2
                ),
                role -> '|role|' || role
            )
        END AS handed_over
    FROM cloudtrail_events
    WHERE principal_arn IN (:principals)
      AND outcome = 'ok'
      AND read_only IS DISTINCT FROM TRUE
      AND COALESCE(event_type, 'AwsApiCall') = 'AwsApiCall'
      AND strpos(lower(request_parameters), 'role') + strpos(lower(request_parameters), 'profile') > 0
),
passed AS (
    SELECT
        calls.*,
        NULLIF(split_part(handed, '|', 1), '') AS passed_to,
        split_part(handed, '|', 2) AS kind,
        substr(handed, length(split_part(handed, '|', 1)) + length(split_part(handed, '|', 2)) + 3) AS role
    FROM calls
    CROSS JOIN UNNEST(array_distinct(handed_over)) AS each(handed)
    WHERE handed IS NOT NULL
)
SELECT
    principal_arn,
    account_id,
    kind,
    role,
    passed_to,
    array_join(array_sort(array_agg(DISTINCT event_name)), ', ') AS event_names,
    count(*) AS event_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    min(event_id) AS event_id
FROM passed
WHERE role <> '' AND role NOT LIKE '%:role/aws-service-role/%'
GROUP BY principal_arn, account_id, kind, role, passed_to
ORDER BY principal_arn, account_id, kind, role, passed_to
