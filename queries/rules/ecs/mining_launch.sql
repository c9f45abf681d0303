-- title: Large task from a public image, defined and started at once
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   min_cpu: {type: bigint, default: 4096, about: CPU units of a task or container that count as large}
-- attack: [T1496, T1610]
-- pci: ["10.2.1.7", "11.5.1", "12.10.5"]
-- why: Within half an hour one principal defined a task with much CPU or a GPU from a public image, and started it.
--   That is how miners are brought into other people's accounts.
-- response: Stop the tasks and set the service to zero, look the image up, and take away the key that was used. Search
--   the other regions for the same family and principal.
-- false_positives: trials of models and renderers; the first deployment of a bought product
-- blind_spots: images copied into a registry of the account; definitions older than the window; small tasks in great
--   number (ecs.mass_task_launch)
WITH steps AS (
    SELECT
        principal_arn,
        account_id,
        aws_region,
        COALESCE(
            json_extract_scalar(request_parameters, '$.family'),
            regexp_replace(
                regexp_extract(json_extract_scalar(request_parameters, '$.taskDefinition'), '[^/]+$'),
                ':[0-9]+$',
                ''
            )
        ) AS family,
        event_name = 'RegisterTaskDefinition' AS is_definition,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        event_id,
        source_ip,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND (
          event_name IN ('RunTask', 'StartTask', 'CreateService', 'UpdateService')
          OR event_name = 'RegisterTaskDefinition'
          AND outcome = 'ok'
          AND any_match(
              TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
              container -> regexp_like(
                  json_extract_scalar(container, '$.image'),
                  '^(([a-z0-9.-]+\.)?docker\.(io|com)|ghcr\.io|quay\.io|public\.ecr\.aws|gcr\.io)/'
              )
              OR NOT regexp_like(json_extract_scalar(container, '$.image'), '^([^/]*[.:][^/]*|localhost)/')
          )
          AND (
              TRY_CAST(json_extract_scalar(request_parameters, '$.cpu') AS BIGINT) >= :min_cpu
              OR 1024 * TRY_CAST(
                  regexp_extract(json_extract_scalar(request_parameters, '$.cpu'), '(?i)^([0-9]+) *vcpu$', 1) AS BIGINT
              ) >= :min_cpu
              OR any_match(
                  TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
                  container -> TRY_CAST(json_extract_scalar(container, '$.cpu') AS BIGINT) >= :min_cpu
                      OR any_match(
                          TRY_CAST(json_extract(container, '$.resourceRequirements') AS ARRAY(JSON)),
                          requirement -> json_extract_scalar(requirement, '$.type') = 'GPU'
                      )
              )
          )
      )
)
SELECT
    started.principal_arn,
    started.account_id,
    started.family AS resource,
    min(defined.event_time) AS first_seen,
    max(started.event_time) AS last_seen,
    count(DISTINCT defined.event_id) + count(DISTINCT started.event_id) AS event_count,
    count(DISTINCT CASE WHEN started.outcome <> 'ok' THEN started.event_id END) AS failed_count,
    CASE
        WHEN count_if(started.outcome = 'ok') > 0 THEN 'ok'
        WHEN count_if(started.outcome = 'denied') > 0 THEN 'denied'
        ELSE 'error'
    END AS outcome,
    array_agg(DISTINCT started.source_ip ORDER BY started.source_ip) AS source_ips,
    array_agg(DISTINCT started.hand ORDER BY started.hand) AS hands,
    transform(
        array_sort(array_distinct(flatten(array_agg(ARRAY[defined.mark, started.mark])))),
        mark -> regexp_extract(mark, '[^ ]+$')
    ) AS evidence
FROM steps AS defined
JOIN steps AS started
    ON started.account_id = defined.account_id
    AND started.aws_region = defined.aws_region
    AND started.principal_arn = defined.principal_arn
    AND started.family = defined.family
WHERE defined.is_definition
  AND NOT started.is_definition
  AND started.event_time >= defined.event_time
  AND started.event_time <= defined.event_time + INTERVAL '30' MINUTE
GROUP BY started.principal_arn, started.account_id, started.family
ORDER BY started.principal_arn, started.account_id, started.family
