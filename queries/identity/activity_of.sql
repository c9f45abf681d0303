-- title: What a subject did, and what was done to it
-- about: One row for each identity, call, outcome, address, user agent and resource. The relation is `by` for what the
--   subject called, and `about` for what others called about it, such as reads of a secret, a command run in a task, or
--   a policy put on a role. An event counts when any of the lists has it; a list that is left out has none.
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
--   evidence: {type: array(varchar), default: [], about: event ids; the answer says which of them are the subject's}
--   limit: {type: bigint, default: 50000, about: most rows to return}
WITH related AS (
    SELECT
        named_events.*,
        CASE
            WHEN principal_arn IN (:principals)
                OR principal_arn || '/' || session_name IN (:sessions)
                OR session_name IN (:workloads)
                OR access_key_id IN (:keys)
                OR source_ip IN (:addresses)
                OR user_agent IN (:user_agents) THEN 'by'
            WHEN secret IN (:secrets)
                OR task_id IN (:workloads)
                OR resource_arn IN (:workloads)
                OR ecs_service IN (:services)
                OR ecs_cluster IN (:clusters)
                OR key_named IN (:keys)
                OR (service <> 'sts' AND resource_arn IN (:principals))  -- a lineage tells who assumed a role
                OR (service = 'iam' AND resource_arn IN (:principal_names)) THEN 'about'
        END AS relation
    FROM named_events
)
SELECT
    relation,
    principal_arn,
    principal_account,
    identity_type,
    session_name,
    access_key_id,
    account_id,
    service,
    event_name,
    read_only,
    outcome,
    error_code,
    invoked_by,
    source_ip,
    user_agent,
    resource_arn,
    secret,
    task_id,
    ecs_service,
    ecs_cluster,
    count(*) AS event_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    min(event_id) AS event_id,  -- the smallest, so that every engine picks the same one
    min(error_message) AS error_message,
    array_join(
        array_sort(array_agg(DISTINCT CASE WHEN event_id IN (:evidence) THEN event_id END)), ','
    ) AS evidence
FROM related
WHERE relation IS NOT NULL
GROUP BY
    relation, principal_arn, principal_account, identity_type, session_name, access_key_id, account_id, service,
    event_name, read_only, outcome, error_code, invoked_by, source_ip, user_agent, resource_arn, secret, task_id,
    ecs_service, ecs_cluster
ORDER BY
    event_count DESC, relation DESC, principal_arn, principal_account, identity_type, session_name, access_key_id,
    account_id, service, event_name, read_only, outcome, error_code, invoked_by, source_ip, user_agent, resource_arn,
    secret, task_id, ecs_service, ecs_cluster
LIMIT :limit
