-- title: What given roles were used for, and by whose hand
-- about: One row for each role, call and kind of hand. The sessions of a task are `workload`; another hand means that
--   somebody else took the role.
-- reads: [cloudtrail_events]
-- params:
--   roles: {type: array(varchar), default: [], about: roles by their names}
SELECT
    principal_name AS role,
    service,
    event_name,
    hand,
    count(*) AS event_count,
    count_if(outcome = 'denied') AS denied_count,
    count_if(outcome = 'error') AS error_count,
    count(DISTINCT resource_arn) AS resource_count,
    count(DISTINCT session_name) AS session_count,
    array_join(slice(array_sort(array_agg(DISTINCT source_ip)), 1, 10), ', ') AS source_ips,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    account_id,
    min(event_id) AS event_id  -- the smallest, so that every engine picks the same one
FROM cloudtrail_events
WHERE principal_arn LIKE '%:role/%'
  AND principal_name IN (:roles)
GROUP BY principal_name, service, event_name, hand, account_id
ORDER BY role, service, event_name, hand, account_id
