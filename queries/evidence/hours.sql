-- title: Which hours have records
-- about: One row for each table, account, region and hour. `record_count` counts events, or flow records that carry
--   traffic; `nodata_count` flow records which say that there was none. Where a record does not tell its account or its
--   region, as version 2 flow records do not, the row is of one file alone, whose path may tell.
-- reads: [cloudtrail_events, flow_records]
WITH records AS (
    SELECT
        'cloudtrail_events' AS source_table,
        account_id,
        aws_region AS region,
        CASE WHEN account_id IS NULL OR aws_region IS NULL THEN log_file END AS log_file,
        date_trunc('hour', event_time) AS hour_start,
        'OK' AS log_status
    FROM cloudtrail_events
    UNION ALL
    SELECT
        'flow_records' AS source_table,
        account_id,
        region,
        CASE WHEN account_id IS NULL OR region IS NULL THEN log_file END AS log_file,
        date_trunc('hour', start_time) AS hour_start,
        coalesce(log_status, 'OK') AS log_status
    FROM flow_records
)
SELECT
    source_table,
    account_id,
    region,
    log_file,
    hour_start,
    count_if(log_status NOT IN ('NODATA', 'SKIPDATA')) AS record_count,
    count_if(log_status = 'NODATA') AS nodata_count
FROM records
GROUP BY source_table, account_id, region, log_file, hour_start
ORDER BY source_table, account_id, region, log_file, hour_start
