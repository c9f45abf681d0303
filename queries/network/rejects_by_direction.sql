-- title: Rejected traffic by direction
-- about: Direction as logged, else told from which side is public. ICMP and IPv6 without flow-direction may stay
--   unknown.
-- reads: [flow_records]
WITH sided AS (
    SELECT
        flow_direction,
        NOT regexp_like(
            srcaddr,
            '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
        ) AS from_public,
        NOT regexp_like(
            dstaddr,
            '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
        ) AS to_public,
        traffic_path,
        reject_reason,
        interface_id,
        packets,
        start_time,
        end_time
    FROM flow_records
    WHERE action = 'REJECT'
),
directed AS (
    SELECT
        CASE
            WHEN flow_direction IS NOT NULL THEN flow_direction
            WHEN from_public AND NOT to_public THEN 'ingress'
            WHEN to_public AND NOT from_public THEN 'egress'
            WHEN NOT from_public AND NOT to_public THEN 'inside'
            ELSE 'unknown'
        END AS direction,
        *
    FROM sided
)
SELECT
    direction,
    from_public,
    to_public,
    traffic_path,
    reject_reason,
    count(*) AS reject_count,
    sum(packets) AS packets,
    count(DISTINCT interface_id) AS interface_count,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen
FROM directed
GROUP BY direction, from_public, to_public, traffic_path, reject_reason
ORDER BY reject_count DESC, direction, from_public, to_public, traffic_path, reject_reason
