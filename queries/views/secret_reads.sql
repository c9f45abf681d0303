-- title: Each try to read a secret, under one name of it
-- about: One row for each event and secret. A batch call logs one GetSecretValue for each secret that it returns, so
--   only those are here; a batch call that failed returns none and is here itself, with what it asked for. Whatever
--   spelling a call uses, an ARN with or without its last six characters or the bare name, `secret` is the name.
WITH asked AS (
    SELECT
        COALESCE(
            CASE WHEN event_name = 'BatchGetSecretValue'
                THEN TRY_CAST(json_extract(request_parameters, '$.secretIdList') AS ARRAY(VARCHAR))
            END,
            ARRAY[COALESCE(json_extract_scalar(request_parameters, '$.secretId'), resource_arn)]
        ) AS secret_ids,
        principal_arn,
        principal_name,
        account_id,
        session_name,
        access_key_id,
        identity_type,
        hand,
        event_time,
        event_id,
        event_name,
        aws_region,
        source_ip,
        user_agent,
        outcome,
        invoked_by
    FROM cloudtrail_events
    WHERE event_source = 'secretsmanager.amazonaws.com'
      AND (event_name = 'GetSecretValue' OR (event_name = 'BatchGetSecretValue' AND outcome <> 'ok'))
)
SELECT
    regexp_replace(
        -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
        CASE
            WHEN regexp_like(regexp_extract(secret_id, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                THEN regexp_replace(secret_id, '-[A-Za-z0-9]{6}$', '')
            ELSE secret_id
        END,
        '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
        ''
    ) AS secret,
    principal_arn,
    principal_name,
    account_id,
    session_name,
    access_key_id,
    identity_type,
    hand,
    event_time,
    event_id,
    event_name,
    aws_region,
    source_ip,
    user_agent,
    outcome,
    invoked_by
FROM asked
CROSS JOIN UNNEST(secret_ids) AS one(secret_id)
