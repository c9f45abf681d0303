-- title: Many task definitions taken away
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_definitions: {type: bigint, default: 20, about: revisions deregistered or deleted in one day by one principal}
-- attack: [T1485, T1070]
-- pci: ["10.2.1.7", "10.3.2", "12.10.1"]
-- why: One principal deregistered or deleted many task definitions in a day. Without them services cannot be made
--   again, and nobody can look up what a task ran.
-- response: Ask whether old revisions were being cleaned up. If not, take the principal's rights away; revisions that
--   are only deregistered can still be read, and registered again from there.
-- false_positives: a clean-up of old revisions, which some teams run every night
-- blind_spots: a few that mattered; deletions in other regions count together with these
WITH taken AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        event_time,
        event_id,
        source_ip,
        outcome,
        hand,
        CASE
            WHEN event_name = 'DeleteTaskDefinitions' THEN COALESCE(
                json_array_length(json_extract(request_parameters, '$.taskDefinitions')), 1
            )
            ELSE 1
        END AS definition_count
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name IN ('DeregisterTaskDefinition', 'DeleteTaskDefinitions')
),
days AS (
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
    FROM taken
    GROUP BY principal_arn, account_id, event_date
    HAVING sum(definition_count) >= :min_definitions
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
FROM days
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
