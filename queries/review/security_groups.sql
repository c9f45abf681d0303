-- title: Which security groups stand before tasks, load balancers and databases
-- about: As far as calls of the window tell it. Tasks wear the groups named when they are started and when ECS makes
--   their interfaces; load balancers and databases those named when they are made or changed.
-- reads: [cloudtrail_events]
WITH calls AS (
    SELECT
        event_time,
        event_id,
        account_id,
        event_name,
        CASE
            WHEN event_source = 'ecs.amazonaws.com' THEN 'task'
            WHEN event_source = 'elasticloadbalancing.amazonaws.com' THEN 'load balancer'
            WHEN event_source = 'rds.amazonaws.com' THEN 'database'
            WHEN json_extract_scalar(request_parameters, '$.description') LIKE 'arn:%:ecs:%:attachment/%' THEN 'task'
            WHEN json_extract_scalar(request_parameters, '$.description') LIKE 'ELB %' THEN 'load balancer'
            WHEN json_extract_scalar(request_parameters, '$.description') = 'RDSNetworkInterface' THEN 'database'
        END AS layer,
        CASE
            WHEN event_source = 'ec2.amazonaws.com' THEN transform(
                TRY_CAST(json_extract(request_parameters, '$.groupSet.items') AS ARRAY(JSON)),
                worn -> json_extract_scalar(worn, '$.groupId')
            )
            ELSE TRY_CAST(
                COALESCE(
                    json_extract(
                        response_elements, '$.service.networkConfiguration.awsvpcConfiguration.securityGroups'
                    ),
                    json_extract(request_parameters, '$.networkConfiguration.awsvpcConfiguration.securityGroups'),
                    json_extract(request_parameters, '$.securityGroups'),
                    json_extract(request_parameters, '$.vpcSecurityGroupIds')
                ) AS ARRAY(VARCHAR)
            )
        END AS worn_groups
    FROM cloudtrail_events
    WHERE outcome = 'ok'
      AND (
          (event_source = 'ec2.amazonaws.com' AND event_name = 'CreateNetworkInterface')
          OR (
              event_source = 'ecs.amazonaws.com'
              AND event_name IN ('CreateService', 'UpdateService', 'RunTask', 'StartTask', 'CreateTaskSet')
          )
          OR (
              event_source = 'elasticloadbalancing.amazonaws.com'
              AND event_name IN ('CreateLoadBalancer', 'SetSecurityGroups')
          )
          OR (
              event_source = 'rds.amazonaws.com'
              AND regexp_like(event_name, '^(Create|Modify|Restore)DB(Instance|Cluster)')
          )
      )
)
SELECT
    group_id,
    layer,
    array_join(array_sort(array_agg(DISTINCT event_name)), ', ') AS named_by,
    count(*) AS event_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    account_id,
    min(event_id) AS event_id  -- the smallest, so that every engine picks the same one
FROM calls
CROSS JOIN UNNEST(worn_groups) AS t(group_id)
WHERE layer IS NOT NULL
  AND group_id IS NOT NULL
GROUP BY group_id, layer, account_id
ORDER BY layer, group_id, account_id
