-- title: What the logs cover
-- about: One row for each table, account, region and day (or hour) that has records. A day that is missing here is a
--   day of which the logs say nothing.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   hourly: {type: boolean, default: false, about: one row for each hour instead of each day}
WITH records AS (
    SELECT
        'cloudtrail_events' AS source_table,
        account_id,
        aws_region AS region,
        event_time AS record_time,
        log_file
    FROM cloudtrail_events
    UNION ALL
    SELECT
        'flow_records' AS source_table,
        account_id,
        region,
        start_time AS record_time,
        log_file
    FROM flow_records
)
SELECT
    source_table,
    account_id,
    region,
    CASE WHEN :hourly THEN date_trunc('hour', record_time) ELSE date_trunc('day', record_time) END AS period_start,
    count(*) AS record_count,
    min(record_time) AS first_record,
    max(record_time) AS last_record,
    count(DISTINCT log_file) AS log_file_count
FROM records
GROUP BY
    source_table,
    account_id,
    region,
    CASE WHEN :hourly THEN date_trunc('hour', record_time) ELSE date_trunc('day', record_time) END
ORDER BY source_table, account_id, region, period_start
