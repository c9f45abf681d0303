-- title: Task given an administrator role
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   admin_names:
--     type: varchar
--     default: '(?i)(admin|administrator|administratoraccess|power-?user|full-?access|root)[-_]?(task)?[-_]?(role)?$'
--     about: pattern of role names that mean far-reaching rights
--   policies:
--     type: array(varchar)
--     default: [AdministratorAccess, IAMFullAccess]
--     about: policies that make a role one, when attached within the window
-- attack: [T1078.004, T1098.003]
-- pci: ["7.2.5", "7.2.1"]
-- why: Everything that runs in this task, and everyone who opens a shell in it, acts as administrator. Passing such a
--   role to a task is also how somebody with few rights makes themselves many.
-- response: Compare with the role of the former revision. Give the task a role with only what it calls, and check what
--   the administrator role's sessions with this task's id have done.
-- false_positives: a role named so for historical reasons; a deployment task that has to be administrator
-- blind_spots: the log does not hold the policies of a role, so a strong role under a plain name is only seen when an
--   administrator policy was attached to it within the window
WITH role_events AS (
    SELECT
        CASE
            WHEN event_source = 'iam.amazonaws.com' THEN json_extract_scalar(request_parameters, '$.roleName')
            ELSE regexp_extract(
                COALESCE(
                    json_extract_scalar(request_parameters, '$.taskRoleArn'),
                    json_extract_scalar(request_parameters, '$.overrides.taskRoleArn')
                ),
                '[^/]+$'
            )
        END AS role_name,
        event_source = 'iam.amazonaws.com' AS is_grant,
        account_id,
        principal_arn,
        resource_arn,
        event_time,
        event_id,
        source_ip,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE (
        event_source = 'iam.amazonaws.com'
        AND event_name = 'AttachRolePolicy'
        AND outcome = 'ok'
        AND regexp_extract(json_extract_scalar(request_parameters, '$.policyArn'), '[^/]+$') IN (:policies)
    ) OR (
        event_source = 'ecs.amazonaws.com'
        AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition', 'RunTask', 'StartTask')
    )
),
judged AS (
    SELECT
        *,
        max(CASE WHEN is_grant THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, role_name) AS was_granted
    FROM role_events
    WHERE role_name IS NOT NULL
)
SELECT
    principal_arn,
    account_id,
    role_name AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM judged
WHERE NOT is_grant
  AND (was_granted = 1 OR regexp_like(role_name, :admin_names))
GROUP BY principal_arn, account_id, role_name
ORDER BY principal_arn, account_id, role_name
