-- title: Events, filtered
-- about: The newest first. Filters that are not given let everything through.
-- reads: [cloudtrail_events]
-- params:
--   principal: {type: varchar, default: null, about: "principal ARN or name, session name or access key id"}
--   service: {type: varchar, default: null, about: "short name of a service, such as ecs"}
--   event: {type: varchar, default: null, about: "call, such as GetSecretValue"}
--   address: {type: varchar, default: null, about: source address as logged}
--   outcome: {type: varchar, default: null, about: "ok, denied or error"}
--   text: {type: varchar, default: null, about: "text that occurs anywhere in the event, upper or lower case"}
--   limit: {type: bigint, default: 1000, about: most rows to return}
SELECT
    event_time,
    account_id,
    aws_region,
    service,
    event_name,
    outcome,
    error_code,
    principal_arn,
    principal_name,
    session_name,
    access_key_id,
    invoked_by,
    source_ip,
    user_agent,
    resource_arn,
    request_parameters,
    error_message,
    event_id,
    log_file
FROM cloudtrail_events
WHERE (:principal IS NULL OR :principal IN (principal_arn, principal_name, session_name, access_key_id))
  AND (:service IS NULL OR service = :service)
  AND (:event IS NULL OR event_name = :event)
  AND (:address IS NULL OR source_ip = :address)
  AND (:outcome IS NULL OR outcome = :outcome)
  AND (
      :text IS NULL
      OR strpos(
          lower(concat_ws(
              ' ', event_id, event_source, event_name, aws_region, account_id, source_ip, user_agent, error_code,
              error_message, principal_arn, principal_name, session_name, access_key_id, invoked_by, source_identity,
              resource_arn, request_parameters, response_elements, additional_event_data, extra
          )),
          lower(:text)
      ) > 0
  )
ORDER BY event_time DESC, event_id, account_id
LIMIT :limit
