-- title: Names of users and roles guessed through policies
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   min_failures: {type: bigint, default: 5, about: policies refused for an unknown principal in one hour}
-- attack: [T1087.004]
-- pci: ["10.2.1.4", "10.2.1.5", "11.5.1"]
-- why: AWS refuses a policy that names a user or role that does not exist. Trying one name after another tells somebody
--   which users and roles there are in any account, also in those of others, and only the account they work in sees it.
-- response: Ask the owner of the principal. If nobody knows, treat its key as stolen, and warn the accounts whose names
--   stand in the messages of the events.
-- false_positives: infrastructure code that refers to a role before it is made, and tries again
-- blind_spots: guesses that hit; guesses made in another account about this one
WITH guesses AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM cloudtrail_events
    WHERE event_name IN (
            'UpdateAssumeRolePolicy', 'CreateRole', 'PutBucketPolicy', 'SetRepositoryPolicy', 'PutKeyPolicy',
            'PutResourcePolicy', 'AddPermission', 'SetTopicAttributes', 'SetQueueAttributes'
        )
      AND outcome <> 'ok'
      AND regexp_like(error_message, '(?i)invalid (aws )?principal|principals? .*(is|are) (not valid|invalid)')
      AND principal_arn IS NOT NULL
    GROUP BY principal_arn, account_id, date_trunc('hour', event_time)
    HAVING count(*) >= :min_failures
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'error' AS outcome,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM guesses
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
