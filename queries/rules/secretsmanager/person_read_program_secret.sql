-- title: Person read a secret that programs use
-- kind: aggregate
-- severity: medium
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1555.006]
-- pci: ["7.2.6", "8.6.1", "8.6.3", "10.2.1.1"]
-- why: Instances, tasks or functions read this secret too, so it is a program's password and not a person's. Whoever
--   knows it can act as the program, and no log will tell the two apart.
-- response: Ask the person what they needed it for. If they do not know of it, change the secret and end their
--   sessions; if they do, change it as well, and give them a login of their own.
-- false_positives: an engineer who looks for the cause of an outage
-- blind_spots: people who pass for automation, use a program's role, or read in batches; programs that did not read the
--   secret in the window
WITH secret_reads AS (
    SELECT
        principal_arn,
        account_id,
        regexp_replace(
            -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
            CASE
                WHEN regexp_like(regexp_extract(resource_arn, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                    THEN regexp_replace(resource_arn, '-[A-Za-z0-9]{6}$', '')
                ELSE resource_arn
            END,
            '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
            ''
        ) AS secret,
        hand,
        event_time,
        event_id,
        source_ip,
        outcome
    FROM cloudtrail_events
    WHERE event_source = 'secretsmanager.amazonaws.com'
      AND event_name = 'GetSecretValue'
      AND hand IN ('person', 'workload')
      AND principal_arn IS NOT NULL
),
judged AS (
    SELECT
        *,
        max(CASE WHEN hand = 'workload' AND outcome = 'ok' THEN 1 ELSE 0 END)
            OVER (PARTITION BY account_id, secret) AS of_programs
    FROM secret_reads
    WHERE secret IS NOT NULL
)
SELECT
    principal_arn,
    account_id,
    secret AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM judged
WHERE hand = 'person'
  AND of_programs = 1
GROUP BY principal_arn, account_id, secret
ORDER BY principal_arn, account_id, secret
