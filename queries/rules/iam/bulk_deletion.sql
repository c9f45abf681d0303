-- title: Many users, roles or logins deleted
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_targets: {type: bigint, default: 5, about: distinct users and roles deleted or locked in one hour}
-- attack: [T1531, T1070.009]
-- pci: ["8.2.4", "10.2.1.5", "12.10.5"]
-- why: One principal deleted or locked out many users or roles within an hour. That shuts defenders out, breaks what
--   runs under those roles, or clears away what an intruder had made.
-- response: Ask the principal at once. If nobody knows, disable it, get into the account with the break-glass role, and
--   make the deleted users and roles again under the same names; their policies are in the log.
-- false_positives: an environment taken down; people who left, tidied up in one go
-- blind_spots: people locked out in Identity Center or at an identity provider
WITH deletions AS (
    SELECT
        principal_arn,
        account_id,
        COALESCE(
            json_extract_scalar(request_parameters, '$.userName'),
            json_extract_scalar(request_parameters, '$.roleName'),
            regexp_extract(resource_arn, '[^/]+$')  -- a refusal carries no parameters
        ) AS target,
        event_time,
        event_id,
        event_name,
        source_ip,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'iam.amazonaws.com'
      AND (
          event_name IN ('DeleteUser', 'DeleteRole', 'DeleteLoginProfile')
          OR (
              event_name = 'UpdateAccessKey'
              AND json_extract_scalar(request_parameters, '$.status') = 'Inactive'
          )
      )
      AND principal_arn NOT LIKE '%:role/aws-service-role/%'
),
rounds AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM deletions
    GROUP BY principal_arn, account_id, date_trunc('hour', event_time)
    HAVING count(DISTINCT target) >= :min_targets
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    array_sort(array_distinct(flatten(array_agg(event_names)))) AS event_names,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM rounds
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
