-- title: Role taken by somebody just let in
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1098.003, T1078.004, T1548.005]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: The trust policy of a role was changed, and within an hour somebody took the role who had not taken it before.
--   It looks like a door being made and walked through.
-- response: Read the change. If the one who took the role is not known, restore the trust policy, revoke the role's
--   sessions, and read what they did.
-- false_positives: a new pipeline or colleague given the role, who tries it at once
-- blind_spots: who took the role before the window; roles taken through single sign-on
WITH steps AS (
    SELECT
        principal_arn,
        account_id,
        COALESCE(
            json_extract_scalar(request_parameters, '$.roleName'),
            regexp_extract(json_extract_scalar(request_parameters, '$.roleArn'), '[^/]+$')
        ) AS role_name,
        event_name = 'UpdateAssumeRolePolicy' AS opens,
        event_time,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE event_source IN ('iam.amazonaws.com', 'sts.amazonaws.com')
      AND event_name IN ('UpdateAssumeRolePolicy', 'AssumeRole', 'AssumeRoleWithWebIdentity')
      AND outcome = 'ok'
      AND COALESCE(identity_type, '') <> 'AWSService'
),
placed AS (
    SELECT
        *,
        max(CASE WHEN opens THEN event_time END)
            OVER (PARTITION BY account_id, role_name ORDER BY mark) AS opened,
        max(CASE WHEN opens THEN mark END)
            OVER (PARTITION BY account_id, role_name ORDER BY mark) AS mark_of_opening,
        min(CASE WHEN NOT opens THEN event_time END)
            OVER (PARTITION BY account_id, role_name, principal_arn) AS first_taken
    FROM steps
    WHERE role_name IS NOT NULL
)
SELECT
    principal_arn,
    account_id,
    role_name AS resource,
    min(opened) AS first_seen,
    max(event_time) AS last_seen,
    count(*) + count(DISTINCT mark_of_opening) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    transform(
        array_sort(array_distinct(flatten(array_agg(ARRAY[mark_of_opening, mark])))),
        mark -> regexp_extract(mark, '[^ ]+$')
    ) AS evidence
FROM placed
WHERE NOT opens
  AND first_taken >= opened
  AND event_time <= opened + INTERVAL '1' HOUR
GROUP BY principal_arn, account_id, role_name
ORDER BY principal_arn, account_id, role_name
