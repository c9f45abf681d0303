-- title: Who was given credentials, by whom
-- about: One row for each event that handed out credentials or a session - roles taken, sign-ins, tokens, keys made -
--   with who called (by_) and what was given (to_). to_access_key_id, looked for as the key of later calls, leads from
--   one identity to the next. A call across accounts has a row for each account's copy; both have one shared_event_id.
-- reads: [cloudtrail_events]
SELECT
    how,
    event_time,
    event_id,
    event_name,
    account_id,
    aws_region,
    outcome,
    source_ip,
    user_agent,
    invoked_by,
    shared_event_id,
    by_identity_type,
    by_principal_arn,
    by_session_name,
    by_access_key_id,
    by_principal_id,
    by_account,
    by_session_created,
    by_mfa,
    to_principal_arn,
    to_session_name,
    to_access_key_id,
    to_session_arn,
    to_principal_id,
    to_account,
    to_permission_set,
    source_identity,
    on_behalf_of,
    provider,
    subject,
    duration_s,
    expires
FROM credential_grants
ORDER BY event_time, event_id, account_id
