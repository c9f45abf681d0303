-- title: The auditkit store, already shaped as cloudtrail_events, one folder per event_date
-- about: The limits on event_date repeat those on event_time so that days outside the window are never opened.
SELECT *
FROM stored_cloudtrail_events
WHERE event_time >= :window_start
  AND event_time < :window_end
  AND event_date >= CAST(:window_start AS DATE)
  AND CAST(event_date AS TIMESTAMP) < :window_end
