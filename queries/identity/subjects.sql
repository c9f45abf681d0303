-- title: Names in the logs
-- about: One row for each principal, session, key, address, user agent, secret, instance, and ECS task, service and
--   cluster that the logs name. What a name is part of stands beside it, a session's role or a task's cluster.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   kind: {type: varchar, default: null, about: "only names of this kind, such as session"}
--   text: {type: varchar, default: null, about: "only names with this text in them, upper or lower case"}
--   limit: {type: bigint, default: 10000, about: most rows to return}
WITH events AS (
    SELECT
        principal_arn,
        session_name,
        access_key_id,
        source_ip,
        user_agent,
        secret,
        task_id,
        ecs_service,
        ecs_cluster,
        CASE WHEN regexp_like(resource_arn, '^arn:[^:]*:iam::[0-9]*:(?:user|role)/') THEN resource_arn END
            AS principal_named,
        count(*) AS record_count,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen
    FROM named_events
    GROUP BY
        principal_arn, session_name, access_key_id, source_ip, user_agent, secret, task_id, ecs_service, ecs_cluster,
        CASE WHEN regexp_like(resource_arn, '^arn:[^:]*:iam::[0-9]*:(?:user|role)/') THEN resource_arn END
),
flows AS (
    SELECT
        srcaddr,
        dstaddr,
        ecs_task_id,
        ecs_service_name,
        ecs_cluster_name,
        instance_id,
        count(*) AS record_count,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen
    FROM flow_records
    GROUP BY srcaddr, dstaddr, ecs_task_id, ecs_service_name, ecs_cluster_name, instance_id
),
keys_made AS (
    SELECT
        COALESCE(
            json_extract_scalar(response_elements, '$.credentials.accessKeyId'),
            json_extract_scalar(response_elements, '$.accessKey.accessKeyId')
        ) AS access_key_id,
        event_time
    FROM cloudtrail_events
    WHERE service = 'sts'
       OR event_name = 'CreateAccessKey'
),
tasks_started AS (
    SELECT
        regexp_replace(json_extract_scalar(task, '$.taskArn'), '^.*/', '') AS task_id,
        regexp_replace(json_extract_scalar(task, '$.clusterArn'), '^.*/', '') AS ecs_cluster,
        event_time
    FROM cloudtrail_events
    CROSS JOIN UNNEST(TRY_CAST(json_extract(response_elements, '$.tasks') AS ARRAY(JSON))) AS t(task)
    WHERE service = 'ecs'
      AND event_name IN ('RunTask', 'StartTask')
),
names AS (
    SELECT 'principal' AS kind, principal_arn AS name, NULL AS part_of, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'principal', principal_named, NULL, record_count, first_seen, last_seen FROM events
    WHERE principal_arn IS DISTINCT FROM principal_named
    UNION ALL
    SELECT 'session', session_name, principal_arn, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'key', access_key_id, principal_arn, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'key', access_key_id, NULL, 0, event_time, event_time FROM keys_made
    UNION ALL
    SELECT 'address', source_ip, NULL, record_count, first_seen, last_seen FROM events
    WHERE TRY_CAST(source_ip AS IPADDRESS) IS NOT NULL
    UNION ALL
    SELECT 'user_agent', user_agent, NULL, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'secret', secret, NULL, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'task', task_id, ecs_cluster, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'task', task_id, ecs_cluster, 1, event_time, event_time FROM tasks_started
    UNION ALL
    SELECT 'task', session_name, NULL, record_count, first_seen, last_seen FROM events
    WHERE regexp_like(session_name, '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
    UNION ALL
    SELECT 'service', ecs_service, ecs_cluster, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'cluster', ecs_cluster, NULL, record_count, first_seen, last_seen FROM events
    UNION ALL
    SELECT 'instance', session_name, NULL, record_count, first_seen, last_seen FROM events
    WHERE regexp_like(session_name, '^i-[0-9a-f]{8,17}$')
    UNION ALL
    SELECT 'address', srcaddr, NULL, record_count, first_seen, last_seen FROM flows
    UNION ALL
    SELECT 'address', dstaddr, NULL, record_count, first_seen, last_seen FROM flows
    WHERE dstaddr <> srcaddr
    UNION ALL
    SELECT 'task', ecs_task_id, ecs_cluster_name, record_count, first_seen, last_seen FROM flows
    UNION ALL
    SELECT 'service', ecs_service_name, ecs_cluster_name, record_count, first_seen, last_seen FROM flows
    UNION ALL
    SELECT 'cluster', ecs_cluster_name, NULL, record_count, first_seen, last_seen FROM flows
    UNION ALL
    SELECT 'instance', instance_id, NULL, record_count, first_seen, last_seen FROM flows
)
SELECT
    kind,
    name,
    part_of,
    sum(record_count) AS record_count,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM names
WHERE name IS NOT NULL
  AND (:kind IS NULL OR kind = :kind)
  AND (:text IS NULL OR strpos(lower(name), lower(:text)) > 0)
GROUP BY kind, name, part_of
ORDER BY record_count DESC, kind, name, part_of
LIMIT :limit
