-- title: The intervals in which flow records were lost
-- about: Each interval of SKIPDATA, and for how many interfaces. Where a record does not tell its account or region,
--   the row is of one file alone, whose path may tell.
-- reads: [flow_records]
SELECT
    account_id,
    region,
    CASE WHEN account_id IS NULL OR region IS NULL THEN log_file END AS log_file,
    start_time,
    coalesce(end_time, start_time) AS end_time,
    count(*) AS interface_count
FROM flow_records
WHERE log_status = 'SKIPDATA'
GROUP BY
    account_id,
    region,
    CASE WHEN account_id IS NULL OR region IS NULL THEN log_file END,
    start_time,
    coalesce(end_time, start_time)
ORDER BY account_id, region, log_file, start_time, end_time
