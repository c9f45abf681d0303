-- title: One access key tried region after region
-- kind: aggregate
-- severity: medium
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   min_regions: {type: bigint, default: 6, about: regions that one key called in one hour}
-- attack: [T1580, T1535]
-- pci: ["8.6.1", "10.2.1.2", "11.5.1"]
-- why: A program works in one or two regions. A long-lived key that calls one region after another is being tried out,
--   for what there is to steal or for quota to run miners on.
-- response: Ask the owner of the key what was running. If nobody knows, deactivate the key, and look for instances,
--   tasks and keys in the regions that the account does not use; forbid those by policy.
-- false_positives: scanners of cost and inventory, which should work under a role
-- blind_spots: sessions of roles; a search spread over more than an hour
WITH places AS (
    SELECT
        principal_arn,
        account_id,
        access_key_id,
        date_trunc('hour', event_time) AS hour_start,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        -- one call in each region is proof enough
        min(date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id) AS first_mark
    FROM cloudtrail_events
    WHERE access_key_id LIKE 'AKIA%'
      AND invoked_by IS NULL
      AND aws_region IS NOT NULL
    GROUP BY principal_arn, account_id, access_key_id, date_trunc('hour', event_time), aws_region
),
hours AS (
    SELECT
        principal_arn,
        account_id,
        access_key_id,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(event_count) AS event_count,
        sum(failed_count) AS failed_count,
        array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
        array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
        array_agg(first_mark ORDER BY first_mark) AS marks
    FROM places
    GROUP BY principal_arn, account_id, access_key_id, hour_start
    HAVING count(*) >= :min_regions
)
SELECT
    principal_arn,
    account_id,
    access_key_id AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM hours
GROUP BY principal_arn, account_id, access_key_id
ORDER BY principal_arn, account_id, access_key_id
