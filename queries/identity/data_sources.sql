-- title: Of which services the logs hold data events
-- about: >-
--   Trails record data events only where they are told to: without any of a service here, it cannot be told from
--   CloudTrail whether its objects, items or messages were read or written.
-- reads: [cloudtrail_events]
SELECT
    event_source,
    count(*) AS event_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM cloudtrail_events
WHERE event_category = 'Data' AND event_source IS NOT NULL
GROUP BY event_source
ORDER BY event_source
