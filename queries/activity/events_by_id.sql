-- title: Events by their ids
-- about: The rows that prove a finding.
-- params:
--   ids: {type: array(varchar), about: event ids}
SELECT
    event_id,
    event_time,
    event_source,
    event_name,
    outcome,
    principal_arn,
    session_name,
    account_id,
    aws_region,
    source_ip,
    user_agent,
    resource_arn,
    error_code,
    error_message,
    request_parameters
FROM cloudtrail_events
WHERE event_id IN (:ids)
ORDER BY event_time, event_id
