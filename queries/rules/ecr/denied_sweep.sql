-- title: One principal was refused many repositories
-- kind: aggregate
-- severity: medium
-- attempts: same
-- hands: same
-- reads: [cloudtrail_events]
-- params:
--   min_repositories: {type: bigint, default: 5, about: distinct repositories refused in one day}
-- attack: [T1580, T1526]
-- pci: ["10.2.1.4", "7.3.1"]
-- why: A program knows the repositories it needs. Being refused one after the other is what it looks like when somebody
--   tries which images a stolen key can take or replace.
-- response: Ask the owner of the principal what was running. If nobody knows, disable the key or revoke the role's
--   sessions, and read what did succeed in between.
-- false_positives: a new cluster or pipeline whose rights are still being worked out; an image scanner
-- blind_spots: a search that takes longer than a day; calls for all repositories at once
WITH refused AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        COALESCE(
            regexp_extract(resource_arn, 'repository/(.*[^*])$', 1),
            json_extract_scalar(request_parameters, '$.repositoryName')
        ) AS repository,
        event_time,
        event_id,
        event_name,
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'ecr.amazonaws.com'
      AND outcome = 'denied'
      AND principal_arn IS NOT NULL
      AND principal_arn NOT LIKE '%:role/aws-service-role/%'
),
sweeps AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM refused
    WHERE repository IS NOT NULL
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT repository) >= :min_repositories
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
    array_sort(array_distinct(flatten(array_agg(event_names)))) AS event_names,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM sweeps
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
