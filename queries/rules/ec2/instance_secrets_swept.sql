-- title: One principal read scripts or passwords of many instances
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_instances: {type: bigint, default: 5, about: distinct instances in one day}
-- attack: [T1552, T1580]
-- pci: ["7.2.5", "8.6.2", "10.2.1.1"]
-- why: Start-up scripts of instances often hold passwords and keys, and the password of a Windows machine opens it.
--   Nobody needs those of many machines in one day; thieves of credentials ask for all of them.
-- response: Ask who the principal is. If it is no known scanner, revoke its sessions and change every secret that the
--   scripts name; of Windows instances change the administrator's password.
-- false_positives: scanners of cloud security that look for secrets in scripts; a tool that takes stock of all
--   attributes
-- blind_spots: a few instances; scripts read on the instance itself or from launch templates; refused calls of which
--   the log does not name the instance
WITH looks AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(json_extract_scalar(request_parameters, '$.instanceId'), resource_arn) AS instance_id,
        event_time,
        event_id,
        source_ip,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name IN ('GetPasswordData', 'DescribeInstanceAttribute')
      AND (
          event_name = 'GetPasswordData'
          OR json_extract_scalar(request_parameters, '$.attribute') = 'userData'
      )
),
sweeps AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM looks
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT instance_id) >= :min_instances
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
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM sweeps
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
