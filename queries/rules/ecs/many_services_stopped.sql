-- title: Many services stopped or deleted within an hour
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_services: {type: bigint, default: 5, about: services and clusters stopped by one principal in an hour}
-- attack: [T1489, T1485]
-- pci: ["10.2.1.7", "12.10.1", "12.10.5"]
-- why: One principal took down service after service. This is an outage made on purpose, by an intruder or by a program
--   that went wrong.
-- response: Stop the principal first. Deny it ecs:UpdateService and ecs:DeleteService or take away its sessions, then
--   bring the services back by infrastructure code and check what their data stores have lost.
-- false_positives: a schedule that stops test environments at night, best put into the allowlist; a region that is
--   given up
-- blind_spots: an attack slower than a few services an hour; hosts taken from under the services
WITH stops AS (
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
    FROM cloudtrail_events
    WHERE event_source = 'ecs.amazonaws.com'
      AND (
          event_name IN ('DeleteService', 'DeleteCluster', 'DeleteDaemon', 'DeleteExpressGatewayService')
          OR event_name = 'UpdateService'
          AND json_extract_scalar(request_parameters, '$.desiredCount') = '0'
          AND hand <> 'service'
      )
    GROUP BY principal_arn, account_id, date_trunc('hour', event_time)
    HAVING count(DISTINCT aws_region
        || ' ' || COALESCE(regexp_extract(json_extract_scalar(request_parameters, '$.cluster'), '[^/]+$'), '')
        || ' ' || COALESCE(regexp_extract(json_extract_scalar(request_parameters, '$.service'), '[^/]+$'), resource_arn)
    ) >= :min_services
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
FROM stops
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
