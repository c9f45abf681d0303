-- title: When flow records were lost
-- about: Intervals in which AWS skipped records of an interface (SKIPDATA). No reject shown then means nothing.
-- reads: [flow_records]
SELECT
    account_id,
    region,
    vpc_id,
    interface_id,
    date_trunc('day', start_time) AS day,
    count(*) AS interval_count,
    sum(date_diff('second', start_time, end_time)) AS blind_s,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen
FROM flow_records
WHERE log_status = 'SKIPDATA'
GROUP BY account_id, region, vpc_id, interface_id, date_trunc('day', start_time)
ORDER BY account_id, region, vpc_id, interface_id, day
