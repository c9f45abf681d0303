-- title: Administrator role made and taken within an hour
-- kind: aggregate
-- severity: critical
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   policies:
--     type: array(varchar)
--     default: [AdministratorAccess, IAMFullAccess, PowerUserAccess]
--     about: names of policies that give the whole account
-- attack: [T1098.003, T1136.003, T1078.004]
-- pci: ["7.2.1", "7.2.2", "8.2.4", "10.2.1.5"]
-- why: A role was made, given administrator rights, and then taken by a person or program, all within an hour. It is a
--   way in under a fresh name that no list of keys or users shows.
-- response: Revoke the role's sessions (deny by aws:TokenIssueTime), take its policy away, and read what its sessions
--   did. Look at who may take it, which its trust policy says, and at how its maker got in.
-- false_positives: the first deployment of an account, or a role for a pipeline that is tried at once
-- blind_spots: rights given by a text of one's own (iam.admin_policy_written); roles that are taken later
WITH steps AS (
    SELECT
        principal_arn,
        account_id,
        COALESCE(
            json_extract_scalar(request_parameters, '$.roleName'),
            regexp_extract(json_extract_scalar(request_parameters, '$.roleArn'), '[^/]+$')
        ) AS role_name,
        event_name,
        event_time,
        event_id,
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE event_source IN ('iam.amazonaws.com', 'sts.amazonaws.com')
      AND event_name IN ('CreateRole', 'AttachRolePolicy', 'AssumeRole', 'AssumeRoleWithWebIdentity')
      AND (
          event_name <> 'AttachRolePolicy'
          OR regexp_extract(json_extract_scalar(request_parameters, '$.policyArn'), '[^/]+$') IN (:policies)
      )
      AND outcome = 'ok'
      AND hand <> 'service'
),
placed AS (
    SELECT
        *,
        min(CASE WHEN event_name = 'CreateRole' THEN event_time END)
            OVER (PARTITION BY account_id, role_name) AS made,
        min(CASE WHEN event_name = 'AttachRolePolicy' THEN event_time END)
            OVER (PARTITION BY account_id, role_name) AS granted
    FROM steps
    WHERE role_name IS NOT NULL
)
SELECT
    max(CASE WHEN event_name = 'CreateRole' THEN principal_arn END) AS principal_arn,
    account_id,
    role_name AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM placed
WHERE granted >= made
  AND event_time >= made
  AND event_time <= made + INTERVAL '1' HOUR
  AND (event_name IN ('CreateRole', 'AttachRolePolicy') OR event_time >= granted)
GROUP BY account_id, role_name
HAVING count_if(event_name IN ('AssumeRole', 'AssumeRoleWithWebIdentity')) > 0
ORDER BY account_id, role_name
