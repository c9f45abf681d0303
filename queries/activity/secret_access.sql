-- title: Who read which secret, beside the task that should
-- about: One row for each principal, session, key and secret, with the task definitions that inject the secret and
--   the role that reads it for them. `standing` says what the logs know of the reader - injected, when it is that
--   role at the start of a task; task_role, when the code of such a task read it itself; service, when AWS did, as
--   for a rotation; other, when tasks inject the secret and the reader is none of their roles; no_task_known, when no
--   definition that was registered in the window injects it. first_of_principal is the principal's first read of the
--   secret in the window; kms_decrypts are the decryptions of it that KMS logged for the same session.
-- reads: [cloudtrail_events]
-- params:
--   name: {type: varchar, default: null, about: "text that occurs in the name of the secret"}
WITH reads AS (
    SELECT
        secret,
        principal_arn,
        min(principal_name) AS principal_name,
        account_id,
        session_name,
        access_key_id,
        min(identity_type) AS identity_type,
        min(hand) AS hand,
        count_if(outcome = 'ok') AS read_count,
        count_if(outcome = 'denied') AS denied_count,
        count_if(outcome = 'error') AS error_count,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        array_join(slice(array_sort(array_agg(DISTINCT source_ip)), 1, 10), ', ') AS source_ips,
        array_join(slice(array_sort(array_agg(DISTINCT user_agent)), 1, 3), ', ') AS user_agents,
        min(invoked_by) AS invoked_by,
        min(event_id) AS event_id
    FROM secret_reads
    WHERE :name IS NULL OR strpos(secret, :name) > 0
    GROUP BY secret, principal_arn, account_id, session_name, access_key_id
),
firsts AS (
    SELECT
        secret AS first_secret,
        principal_arn AS first_principal,
        account_id AS first_account,
        min(event_time) AS first_of_principal
    FROM secret_reads
    WHERE outcome = 'ok'
    GROUP BY secret, principal_arn, account_id
),
injections AS (
    SELECT
        secret AS injected_secret,
        account_id AS injected_account,
        array_join(slice(array_sort(array_agg(DISTINCT family)), 1, 10), ', ') AS injected_by,
        array_agg(DISTINCT execution_role_arn) AS execution_roles,
        array_agg(DISTINCT task_role_arn) AS task_roles,
        array_join(slice(array_sort(array_agg(DISTINCT registered_by)), 1, 10), ', ') AS registered_by,
        min(event_id) AS registration_event_id
    FROM secret_injections
    GROUP BY secret, account_id
),
decryptions AS (
    SELECT
        regexp_replace(
            json_extract_scalar(request_parameters, '$.encryptionContext.SecretARN'),
            '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}$',
            '$1'
        ) AS decrypted_secret,
        principal_arn AS decrypted_by,
        session_name AS decrypted_in,
        count(*) AS kms_decrypts
    FROM cloudtrail_events
    WHERE event_source = 'kms.amazonaws.com'
      AND event_name = 'Decrypt'
      AND outcome = 'ok'
    GROUP BY 1, 2, 3
)
SELECT
    secret,
    principal_arn,
    principal_name,
    account_id,
    session_name,
    access_key_id,
    identity_type,
    hand,
    CASE
        WHEN COALESCE(contains(execution_roles, principal_arn), FALSE) THEN 'injected'
        WHEN COALESCE(contains(task_roles, principal_arn), FALSE) THEN 'task_role'
        WHEN hand = 'service' THEN 'service'
        WHEN injected_by IS NULL THEN 'no_task_known'
        ELSE 'other'
    END AS standing,
    read_count,
    denied_count,
    error_count,
    first_seen,
    last_seen,
    first_of_principal,
    source_ips,
    user_agents,
    invoked_by,
    COALESCE(kms_decrypts, 0) AS kms_decrypts,
    injected_by,
    registered_by,
    registration_event_id,
    event_id
FROM reads
LEFT JOIN firsts ON first_secret = secret AND first_principal = principal_arn AND first_account = account_id
LEFT JOIN injections ON injected_secret = secret AND injected_account = account_id
LEFT JOIN decryptions ON decrypted_secret = secret
    AND decrypted_by = principal_arn
    AND COALESCE(decrypted_in, '') = COALESCE(session_name, '')
ORDER BY secret, first_seen, principal_arn, account_id, session_name, access_key_id
