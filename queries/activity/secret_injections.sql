-- title: Secrets that tasks inject
-- about: One row for each family of task definitions, role and secret of Secrets Manager that they inject, by what was
--   registered in the window, with how often that role read the secret.
-- reads: [cloudtrail_events]
WITH injected AS (
    SELECT
        secret,
        account_id,
        family,
        execution_role_arn,
        array_join(array_sort(array_agg(DISTINCT variable)), ', ') AS variables,
        count(DISTINCT task_definition) AS definition_count,
        max_by(registered_by, registered_at) AS registered_by,
        max(registered_at) AS registered_at,
        min(event_id) AS event_id
    FROM secret_injections
    GROUP BY secret, account_id, family, execution_role_arn
),
reads AS (
    SELECT
        secret AS read_secret,
        account_id AS read_account,
        principal_arn AS read_by,
        count(*) AS read_count,
        count(DISTINCT session_name) AS task_count,
        max(event_time) AS last_read
    FROM secret_reads
    WHERE outcome = 'ok'
    GROUP BY secret, account_id, principal_arn
)
SELECT
    secret,
    family,
    variables,
    execution_role_arn,
    COALESCE(read_count, 0) AS read_count,
    COALESCE(task_count, 0) AS task_count,
    last_read,
    definition_count,
    registered_by,
    registered_at,
    account_id,
    event_id
FROM injected
LEFT JOIN reads ON read_secret = secret AND read_account = account_id AND read_by = execution_role_arn
ORDER BY secret, family, execution_role_arn, account_id
