-- title: Who read which secret
-- about: One row for each principal, session and secret. A batch call logs one GetSecretValue for each secret it
--   returns, so only those are counted; a batch call that failed returns none and is counted itself.
-- reads: [cloudtrail_events]
WITH asked AS (
    SELECT
        principal_arn,
        account_id,
        session_name,
        access_key_id,
        COALESCE(
            CASE WHEN event_name = 'BatchGetSecretValue'
                THEN TRY_CAST(json_extract(request_parameters, '$.secretIdList') AS ARRAY(VARCHAR))
            END,
            ARRAY[COALESCE(json_extract_scalar(request_parameters, '$.secretId'), resource_arn)]
        ) AS secret_ids,
        event_time,
        event_id,
        source_ip,
        outcome,
        invoked_by
    FROM cloudtrail_events
    WHERE event_source = 'secretsmanager.amazonaws.com'
      AND (event_name = 'GetSecretValue' OR (event_name = 'BatchGetSecretValue' AND outcome <> 'ok'))
),
named AS (
    SELECT
        asked.*,
        regexp_replace(
            -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
            CASE
                WHEN regexp_like(regexp_extract(secret_id, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                    THEN regexp_replace(secret_id, '-[A-Za-z0-9]{6}$', '')
                ELSE secret_id
            END,
            '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
            ''
        ) AS secret
    FROM asked
    CROSS JOIN UNNEST(secret_ids) AS one(secret_id)
)
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
FROM named
GROUP BY principal_arn, account_id, session_name, secret
ORDER BY principal_arn, account_id, session_name, secret
