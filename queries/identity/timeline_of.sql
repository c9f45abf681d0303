-- title: When a subject did what, by the minute
-- about: One row for each minute, service and outcome in which the subject called, or, of a thing that calls nothing,
--   others called about it. A subject is named as in identity/activity_of.
-- reads: [cloudtrail_events]
-- params:
--   principals: {type: array(varchar), default: [], about: ARNs of principals}
--   principal_names: {type: array(varchar), default: [], about: "their names, by which calls to IAM are about them"}
--   sessions: {type: array(varchar), default: [], about: "role sessions, each as the role's ARN, a slash and the name"}
--   keys: {type: array(varchar), default: [], about: access key ids}
--   addresses: {type: array(varchar), default: [], about: source addresses as logged}
--   user_agents: {type: array(varchar), default: [], about: user agents as logged}
--   secrets: {type: array(varchar), default: [], about: names of secrets}
--   workloads: {type: array(varchar), default: [], about: "ids of ECS tasks and instances, which name their sessions"}
--   services: {type: array(varchar), default: [], about: names of ECS services}
--   clusters: {type: array(varchar), default: [], about: names of ECS clusters}
WITH related AS (
    SELECT
        event_time,
        service,
        outcome,
        COALESCE(
            principal_arn IN (:principals)
                OR principal_arn || '/' || session_name IN (:sessions)
                OR session_name IN (:workloads)
                OR access_key_id IN (:keys)
                OR source_ip IN (:addresses)
                OR user_agent IN (:user_agents),
            FALSE
        ) AS is_by,
        COALESCE(
            secret IN (:secrets)
                OR task_id IN (:workloads)
                OR resource_arn IN (:workloads)
                OR ecs_service IN (:services)
                OR ecs_cluster IN (:clusters)
                OR key_named IN (:keys)
                OR (service <> 'sts' AND resource_arn IN (:principals))
                OR (service = 'iam' AND resource_arn IN (:principal_names)),
            FALSE
        ) AS is_on
    FROM named_events
),
minutes AS (
    SELECT
        is_by,
        date_trunc('minute', event_time) AS minute_start,
        service,
        outcome,
        count(*) AS event_count
    FROM related
    WHERE is_by OR is_on
    GROUP BY is_by, date_trunc('minute', event_time), service, outcome
),
told AS (
    SELECT *, max(CASE WHEN is_by THEN 1 ELSE 0 END) OVER () AS calls_itself
    FROM minutes
)
SELECT minute_start, service, outcome, event_count
FROM told
WHERE is_by OR calls_itself = 0
ORDER BY minute_start, service, outcome
