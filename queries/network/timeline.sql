-- title: Accepted and rejected traffic by hour
-- about: Counts of flow records, each of which sums the packets of up to ten minutes. lost_count is SKIPDATA, blind
--   time.
-- reads: [flow_records]
SELECT
    date_trunc('hour', start_time) AS hour_start,
    count(*) FILTER (WHERE action = 'ACCEPT') AS accept_count,
    count(*) FILTER (WHERE action = 'REJECT') AS reject_count,
    count(*) FILTER (WHERE log_status = 'SKIPDATA') AS lost_count,
    sum(CASE WHEN action = 'ACCEPT' THEN bytes END) AS accepted_bytes
FROM flow_records
GROUP BY date_trunc('hour', start_time)
ORDER BY hour_start
