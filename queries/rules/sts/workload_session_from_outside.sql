-- title: Credentials of an instance or task used from elsewhere
-- kind: aggregate
-- severity: high
-- per: resource
-- addresses: same  # credentials of a workload are no less stolen at the office
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
WITH uses AS (  -- first few rows, then what is dear to work out of each
    SELECT
        principal_arn,
        account_id,
        session_name,
        source_ip,
        identity_type
    FROM cloudtrail_events
    WHERE invoked_by IS NULL
    GROUP BY principal_arn, account_id, session_name, source_ip, identity_type
),
described AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        source_ip,
        CASE WHEN source_ip NOT LIKE '%:%' THEN source_ip END AS ipv4,  -- a workload may have one of each kind
        regexp_like(lower(session_name), '^(i-[0-9a-f]{8,17}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
            AND identity_type = 'AssumedRole' AS is_workload,
        CASE
            WHEN identity_type IN ('IAMUser', 'Root', 'IdentityCenterUser', 'SAMLUser')
                OR principal_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
            THEN 1
            ELSE 0
        END AS by_person
    FROM uses
    WHERE regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
      AND NOT regexp_like(
          source_ip,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
),
judged AS (
    SELECT
        *,
        max(by_person) OVER (PARTITION BY source_ip) AS address_of_person,
        min(ipv4) OVER (PARTITION BY principal_arn, account_id, session_name)
            <> max(ipv4) OVER (PARTITION BY principal_arn, account_id, session_name) AS moved
    FROM described
),
outside AS (
    SELECT principal_arn, COALESCE(account_id, '') AS account, session_name, source_ip
    FROM judged
    WHERE is_workload
      AND (address_of_person = 1 OR moved)
)
SELECT
    event.principal_arn,
    event.account_id,
    event.session_name AS resource,
    min(event.event_time) AS first_seen,
    max(event.event_time) AS last_seen,
    count(*) AS event_count,
    count_if(event.outcome <> 'ok') AS failed_count,
    array_agg(DISTINCT event.source_ip ORDER BY event.source_ip) AS source_ips,
    array_agg(DISTINCT event.event_name ORDER BY event.event_name) AS event_names,
    ARRAY['workload'] AS hands,
    array_agg(event.event_id ORDER BY event.event_time, event.event_id) AS evidence
FROM cloudtrail_events AS event
INNER JOIN outside
    ON outside.principal_arn = event.principal_arn
    AND outside.account = COALESCE(event.account_id, '')
    AND outside.session_name = event.session_name
    AND outside.source_ip = event.source_ip
WHERE event.invoked_by IS NULL
  AND event.identity_type = 'AssumedRole'
GROUP BY event.principal_arn, event.account_id, event.session_name
ORDER BY event.principal_arn, event.account_id, event.session_name
