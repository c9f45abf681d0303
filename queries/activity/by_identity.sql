-- title: Who did what, service by service
-- about: One row for each principal, service and call. A role is one principal whichever session used it.
-- reads: [cloudtrail_events]
-- params:
--   services:
--     type: array(varchar)
--     default: [ecs, iam, secretsmanager]
--     about: services by their short names, such as ssm or network-firewall; all for all of them
SELECT
    principal_arn,
    min(principal_name) AS principal_name,
    min(identity_type) AS identity_type,
    account_id,
    service,
    event_name,
    count(*) AS event_count,
    count_if(outcome = 'denied') AS denied_count,
    count_if(outcome = 'error') AS error_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(DISTINCT session_name) AS session_count,
    count(DISTINCT source_ip) AS source_ip_count,
    array_join(array_sort(array_agg(DISTINCT source_ip)), ', ') AS source_ips
FROM cloudtrail_events
WHERE ('all' IN (:services) OR service IN (:services))
GROUP BY principal_arn, account_id, service, event_name
ORDER BY event_count DESC, principal_arn, account_id, service, event_name
