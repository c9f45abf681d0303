-- title: Events by hour
-- about: One row for each hour, service and outcome in which something happened.
-- reads: [cloudtrail_events]
-- params:
--   services:
--     type: array(varchar)
--     default: [ecs, iam, secretsmanager]
--     about: services by their short names, such as ssm or network-firewall; all for all of them
SELECT
    date_trunc('hour', event_time) AS hour_start,
    service,
    outcome,
    count(*) AS event_count,
    count(DISTINCT principal_arn) AS principal_count
FROM cloudtrail_events
WHERE ('all' IN (:services) OR service IN (:services))
GROUP BY date_trunc('hour', event_time), service, outcome
ORDER BY hour_start, service, outcome
