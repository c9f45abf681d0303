-- title: Task definition given another role
-- kind: aggregate
-- severity: medium
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1098.003, T1548.005]
-- pci: ["7.2.1", "7.2.5", "10.2.1.5"]
-- why: The new revision of this family runs with another role than the one before it. Whoever deploys it, or gets a
--   shell in it, has the rights of that role, which they may not be allowed to take themselves.
-- response: Compare the two roles. If the new one may do more and nobody planned it, deploy the former revision,
--   deregister this one, and read what the role's sessions did since.
-- false_positives: a role renamed or made anew by infrastructure code; two pipelines that use one family
-- blind_spots: families whose former revision is older than the window; calls that failed; what the roles may do
WITH revisions AS (
    SELECT
        principal_arn,
        account_id,
        json_extract_scalar(request_parameters, '$.family') AS family,
        regexp_extract(json_extract_scalar(request_parameters, '$.taskRoleArn'), '[^/]+$') AS role_name,
        lag(COALESCE(regexp_extract(json_extract_scalar(request_parameters, '$.taskRoleArn'), '[^/]+$'), '')) OVER (
            PARTITION BY account_id, aws_region, json_extract_scalar(request_parameters, '$.family')
            ORDER BY event_time, event_id
        ) AS former_role,  -- '' is none, NULL no former revision
        event_time,
        event_id,
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name = 'RegisterTaskDefinition'
      AND outcome = 'ok'
)
SELECT
    principal_arn,
    account_id,
    family AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM revisions
WHERE family IS NOT NULL
  AND role_name <> former_role
GROUP BY principal_arn, account_id, family
ORDER BY principal_arn, account_id, family
