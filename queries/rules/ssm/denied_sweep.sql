-- title: One principal was refused several parameters
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   min_parameters: {type: bigint, default: 5, about: distinct parameters refused in one day}
-- attack: [T1555.006]
-- pci: ["7.3.1", "10.2.1.1", "10.2.1.4"]
-- why: A program that lacks a right is refused the same few parameters. Being refused several different ones is what it
--   looks like when somebody tries which passwords a stolen key opens.
-- response: Find out what was running as this principal. If nobody knows, revoke its sessions or disable its key, and
--   look for the reads that were not refused.
-- false_positives: a new application whose role lacks the right to all of its parameters; inventories that ask for
--   everything
-- blind_spots: a list of names, of which a refusal tells one; refusals spread over days
WITH refused AS (
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
    WHERE event_source = 'ssm.amazonaws.com'
      AND event_name IN (
          'GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory', 'PutParameter',
          'DeleteParameter', 'LabelParameterVersion'
      )
      AND outcome = 'denied'
      AND invoked_by IS NULL
      AND principal_arn IS NOT NULL
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT resource_arn) >= :min_parameters
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'denied' AS outcome,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM refused
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
