-- title: Task definitions read one after another
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_families: {type: bigint, default: 20, about: families of task definitions read by one session in one hour}
-- attack: [T1580, T1552]
-- pci: ["7.2.1", "8.6.2", "10.2.1.2"]
-- why: One session read the task definitions of many services. They tell images, roles and addresses, and everything
--   that was put into the environment as plain text, passwords too.
-- response: Ask the owner of the principal what was running. If nobody knows, take away the key or the session, and
--   change every secret that stands in those definitions (ecs.plain_text_secret names some).
-- false_positives: inventories and scanners, which should work under a role of their own; a plan of infrastructure code
-- blind_spots: a slow search; definitions seen in the console one by one
WITH reads AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(
            date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id ORDER BY event_time, event_id
        ) AS marks  -- sort by time, then id
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name = 'DescribeTaskDefinition'
      AND hand <> 'service'
    GROUP BY principal_arn, account_id, COALESCE(session_name, access_key_id), date_trunc('hour', event_time)
    HAVING count(DISTINCT regexp_replace(
        regexp_extract(json_extract_scalar(request_parameters, '$.taskDefinition'), '[^/]+$'), ':[0-9]+$', ''
    )) >= :min_families
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
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM reads
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
