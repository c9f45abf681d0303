-- title: Rejected traffic by port
-- reads: [flow_records]
-- params:
--   limit: {type: bigint, default: 1000, about: most rows to return}
SELECT
    dstport,
    protocol,
    count(*) AS reject_count,
    sum(packets) AS packets,
    count(DISTINCT srcaddr) AS srcaddr_count,
    count(DISTINCT dstaddr) AS dstaddr_count,
    count(DISTINCT interface_id) AS interface_count,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen
FROM flow_records
WHERE action = 'REJECT'
GROUP BY dstport, protocol
ORDER BY reject_count DESC, dstport, protocol
LIMIT :limit
