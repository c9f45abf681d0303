-- title: The auditkit store, already shaped as flow_records, one folder per event_date, which is the day of start_time
-- about: The limits on event_date repeat those on start_time so that days outside the window are never opened.
SELECT *
FROM stored_flow_records
WHERE start_time >= :window_start
  AND start_time < :window_end
  AND event_date >= CAST(:window_start AS DATE)
  AND CAST(event_date AS TIMESTAMP) < :window_end
