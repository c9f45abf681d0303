-- title: Unusually many tasks asked for
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_tasks: {type: bigint, default: 100, about: tasks asked for in one day by one principal}
--   min_clusters: {type: bigint, default: 5, about: or clusters created in one day by one principal}
-- attack: [T1496]
-- pci: ["10.2.1.7", "11.5.1"]
-- why: Intruders use other people's accounts to compute for them. They make clusters in many regions and ask for as
--   many tasks as they can get, and the bill is the account owner's.
-- response: Look at the images the tasks run and the regions they run in. Set unknown services to zero, delete their
--   clusters, and take away the key that made them.
-- false_positives: a load test; a large service scaled by hand; batch work started task by task
-- blind_spots: scaling done by Application Auto Scaling; instances started outside ECS
WITH asked AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        event_time,
        event_id,
        source_ip,
        outcome,
        hand,
        CASE WHEN event_name = 'CreateCluster' THEN aws_region || COALESCE(resource_arn, 'default') END AS cluster,
        CASE
            WHEN event_name <> 'CreateCluster' THEN COALESCE(
                TRY_CAST(json_extract_scalar(request_parameters, '$.desiredCount') AS BIGINT),
                TRY_CAST(json_extract_scalar(request_parameters, '$.count') AS BIGINT),
                CASE WHEN event_name IN ('RunTask', 'StartTask') THEN 1 ELSE 0 END
            )
            ELSE 0
        END AS task_count
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND event_name IN ('CreateCluster', 'CreateService', 'UpdateService', 'RunTask', 'StartTask')
      AND invoked_by IS NULL
),
launches AS (
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
    FROM asked
    GROUP BY principal_arn, account_id, event_date
    HAVING sum(task_count) >= :min_tasks
        OR count(DISTINCT cluster) >= :min_clusters
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
FROM launches
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
