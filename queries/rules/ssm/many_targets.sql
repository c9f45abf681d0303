-- title: One principal ran commands or shells on many hosts
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_targets: {type: bigint, default: 3, about: distinct hosts or tag targets in one day}
-- attack: [T1651, T1021.007, T1021.004]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: Systems Manager and EC2 Instance Connect give a shell to whoever has the right AWS permission. Used on several
--   hosts in a row they are how an intruder spreads from one stolen key to the whole fleet.
-- response: Ask the principal what was run; the session and command output, where kept, is in S3 or CloudWatch. Take
--   the hosts out of service if nobody knows, and revoke the instance roles' sessions.
-- false_positives: patching and inventory jobs, operators on a busy day
-- blind_spots: the text of commands, which AWS hides; maintenance windows and automations that call in their own name
WITH remote_calls AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(
            TRY_CAST(json_extract(request_parameters, '$.instanceIds') AS ARRAY(VARCHAR)),
            ARRAY[COALESCE(
                json_extract_scalar(request_parameters, '$.target'),
                json_extract_scalar(request_parameters, '$.instanceId'),
                json_format(json_extract(request_parameters, '$.targets')),
                resource_arn
            )]
        ) AS targets,
        event_time,
        event_id,
        source_ip,
        hand,
        outcome
    FROM cloudtrail_events
    WHERE event_source IN ('ssm.amazonaws.com', 'ec2-instance-connect.amazonaws.com')
      AND event_name IN ('SendCommand', 'StartSession', 'SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey')
      AND invoked_by IS NULL
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
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM remote_calls
    GROUP BY principal_arn, account_id, event_date
    HAVING cardinality(array_distinct(flatten(array_agg(targets)))) >= :min_targets
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
FROM rounds
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
