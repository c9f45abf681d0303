-- title: Who read which secret
-- about: One row for each principal, session and secret. A batch call logs one GetSecretValue for each secret it
--   returns, so only those are counted; a batch call that failed returns none and is counted itself.
-- reads: [cloudtrail_events]
SELECT
    principal_arn,
    account_id,
    session_name,
    secret,
    count_if(outcome = 'ok') AS read_count,
    count_if(outcome = 'denied') AS denied_count,
    count_if(outcome = 'error') AS error_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    array_join(array_sort(array_agg(DISTINCT source_ip)), ', ') AS source_ips,
    array_join(array_sort(array_agg(DISTINCT access_key_id)), ', ') AS access_key_ids,
    min(invoked_by) AS invoked_by,
    min(event_id) AS event_id  -- the smallest, so that every engine picks the same one
FROM secret_reads
GROUP BY principal_arn, account_id, session_name, secret
ORDER BY principal_arn, account_id, session_name, secret
