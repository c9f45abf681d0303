-- title: Who changed or entered a cluster
-- about: Calls that change something, open a shell or pass a role, by principal; calls that read are left out, and so
--   is what agents on container instances report. `iam:PassRole` makes no event, so the roles that a call hands to
--   ECS are read from its parameters. Task definitions belong to no cluster and stay in.
-- reads: [cloudtrail_events]
-- params:
--   cluster: {type: varchar, default: null, about: "cluster by its name, as shop"}
WITH calls AS (
    SELECT
        event_time,
        event_id,
        account_id,
        event_name,
        outcome,
        principal_arn,
        principal_name,
        identity_type,
        session_name,
        hand,
        source_ip,
        cluster,
        NULLIF(
            concat_ws(
                ', ',
                NULLIF(regexp_extract(json_extract_scalar(request_parameters, '$.taskRoleArn'), '[^/]+$'), ''),
                NULLIF(regexp_extract(json_extract_scalar(request_parameters, '$.executionRoleArn'), '[^/]+$'), ''),
                NULLIF(
                    regexp_extract(json_extract_scalar(request_parameters, '$.overrides.taskRoleArn'), '[^/]+$'), ''
                ),
                NULLIF(
                    regexp_extract(json_extract_scalar(request_parameters, '$.overrides.executionRoleArn'), '[^/]+$'),
                    ''
                )
            ),
            ''
        ) AS passed_roles
    FROM ecs_calls
    WHERE NOT COALESCE(read_only, regexp_like(event_name, '^(Describe|List|Get|Discover)'))
      AND NOT (hand = 'workload' AND regexp_like(event_name, '^Submit|ContainerInstance|^Poll$|^StartTelemetry'))
    UNION ALL
    SELECT
        event_time,
        event_id,
        account_id,
        event_name,
        outcome,
        principal_arn,
        principal_name,
        identity_type,
        session_name,
        hand,
        source_ip,
        regexp_extract(
            COALESCE(json_extract_scalar(request_parameters, '$.target'), resource_arn), 'ecs:([^_]+)_', 1
        ) AS cluster,
        CAST(NULL AS VARCHAR) AS passed_roles
    FROM cloudtrail_events
    WHERE event_source = 'ssm.amazonaws.com'
      AND event_name IN ('StartSession', 'ResumeSession')
      AND json_extract_scalar(request_parameters, '$.target') LIKE 'ecs:%'
)
SELECT
    principal_name,
    hand,
    event_name,
    cluster,
    count(*) AS event_count,
    count_if(outcome = 'denied') AS denied_count,
    count_if(outcome = 'error') AS error_count,
    NULLIF(array_join(array_sort(array_agg(DISTINCT passed_roles)), '; '), '') AS passed_roles,
    array_join(slice(array_sort(array_agg(DISTINCT session_name)), 1, 10), ', ') AS session_names,
    array_join(slice(array_sort(array_agg(DISTINCT source_ip)), 1, 10), ', ') AS source_ips,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    min(identity_type) AS identity_type,
    principal_arn,
    account_id,
    min(event_id) AS event_id  -- the smallest, so that every engine picks the same one
FROM calls
WHERE :cluster IS NULL
   OR cluster = :cluster
   OR cluster IS NULL
GROUP BY principal_arn, principal_name, account_id, hand, event_name, cluster
ORDER BY principal_arn, principal_name, account_id, hand, event_name, cluster
