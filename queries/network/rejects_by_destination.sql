-- title: Rejected traffic by destination
-- reads: [flow_records]
-- params:
--   limit: {type: bigint, default: 1000, about: most rows to return}
SELECT
    dstaddr,
    NOT regexp_like(
        dstaddr,
        '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
    ) AS is_public,
    count(*) AS reject_count,
    sum(packets) AS packets,
    count(DISTINCT srcaddr) AS srcaddr_count,
    count(DISTINCT dstport) AS dstport_count,
    count(DISTINCT interface_id) AS interface_count,
    min(dstport) AS lowest_dstport,
    max(dstport) AS highest_dstport,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen
FROM flow_records
WHERE action = 'REJECT'
GROUP BY dstaddr
ORDER BY reject_count DESC, dstaddr
LIMIT :limit
