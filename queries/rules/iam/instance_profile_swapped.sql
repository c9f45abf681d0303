-- title: Role of an instance profile exchanged
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1098.003, T1548.005]
-- pci: ["7.2.5", "10.2.1.5"]
-- why: The role of an instance profile was taken out and another put in within an hour, under running instances.
--   Whoever has a shell on one of them now has the new role, without starting anything.
-- response: Compare the two roles. If the new one may do more and nobody planned it, put the old one back, revoke the
--   new role's sessions named i-…, and read what they did.
-- false_positives: a role renamed by infrastructure code
-- blind_spots: what the roles may do; another profile given to a running instance, in ec2.amazonaws.com
WITH swaps AS (
    SELECT
        principal_arn,
        account_id,
        json_extract_scalar(request_parameters, '$.instanceProfileName') AS profile,
        json_extract_scalar(request_parameters, '$.roleName') AS role_name,
        event_name,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        event_id,
        source_ip,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'iam.amazonaws.com'
      AND event_name IN ('RemoveRoleFromInstanceProfile', 'AddRoleToInstanceProfile')
)
SELECT
    came.principal_arn,
    came.account_id,
    came.profile AS resource,
    min(gone.event_time) AS first_seen,
    max(came.event_time) AS last_seen,
    count(DISTINCT gone.event_id) + count(DISTINCT came.event_id) AS event_count,
    count(DISTINCT CASE WHEN came.outcome <> 'ok' THEN came.event_id END) AS failed_count,
    array_agg(DISTINCT came.source_ip ORDER BY came.source_ip) AS source_ips,
    array_agg(DISTINCT came.hand ORDER BY came.hand) AS hands,
    transform(
        array_sort(array_distinct(flatten(array_agg(ARRAY[gone.mark, came.mark])))),
        mark -> regexp_extract(mark, '[^ ]+$')
    ) AS evidence
FROM swaps AS gone
JOIN swaps AS came
    ON came.account_id = gone.account_id
    AND came.profile = gone.profile
WHERE gone.event_name = 'RemoveRoleFromInstanceProfile'
  AND gone.outcome = 'ok'
  AND came.event_name = 'AddRoleToInstanceProfile'
  AND came.role_name <> gone.role_name
  AND came.event_time >= gone.event_time
  AND came.event_time <= gone.event_time + INTERVAL '1' HOUR
GROUP BY came.principal_arn, came.account_id, came.profile
ORDER BY came.principal_arn, came.account_id, came.profile
