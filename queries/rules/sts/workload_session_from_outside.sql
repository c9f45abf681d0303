-- title: Credentials of an instance or task used from elsewhere
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1552.005, T1078.004]
-- pci: ["8.6.1", "10.2.1.2", "11.5.1"]
-- why: The temporary credentials of an instance or ECS task belong inside it. Here they were used from a public address
--   that people use too, or from two public addresses. That is what stolen credentials look like.
-- response: Revoke the role's sessions (deny by aws:TokenIssueTime), replace the instance or task, and read everything
--   that session did. Require IMDSv2 on instances.
-- false_positives: an instance that got a new public address, a NAT gateway with several addresses, or a person working
--   from the same network as the instance
-- blind_spots: thieves who work from another machine in the same network, over IPv6 while the workload uses IPv4, or
--   whose calls are the only ones of the session
WITH calls AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        source_ip,
        regexp_like(lower(session_name), '^(i-[0-9a-f]{8,17}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
            AND identity_type = 'AssumedRole' AS is_workload,
        identity_type IN ('IAMUser', 'Root', 'IdentityCenterUser', 'SAMLUser')
            OR principal_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%' AS is_person,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE invoked_by IS NULL
      AND regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
      AND NOT regexp_like(
          source_ip,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
),
uses AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        source_ip,
        CASE WHEN source_ip NOT LIKE '%:%' THEN source_ip END AS ipv4,  -- a workload may have one of each kind
        is_workload,
        max(CASE WHEN is_person THEN 1 ELSE 0 END) AS by_person,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(mark) FILTER (WHERE is_workload) AS marks
    FROM calls
    GROUP BY principal_arn, account_id, session_name, source_ip, is_workload
),
judged AS (
    SELECT
        *,
        max(by_person) OVER (PARTITION BY source_ip) AS address_of_person,
        min(ipv4) OVER (PARTITION BY principal_arn, account_id, session_name)
            <> max(ipv4) OVER (PARTITION BY principal_arn, account_id, session_name) AS moved
    FROM uses
)
SELECT
    principal_arn,
    account_id,
    session_name AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM judged
WHERE is_workload
  AND (address_of_person = 1 OR moved)
GROUP BY principal_arn, account_id, session_name
ORDER BY principal_arn, account_id, session_name
