-- title: One principal deleted very many objects
-- kind: aggregate
-- severity: medium
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   min_deleted: {type: bigint, default: 500, about: deletions in one bucket and one hour}
-- attack: [T1485]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: Hundreds of objects of one bucket were deleted within an hour. That is how data is destroyed, or removed after
--   it was copied elsewhere for a ransom.
-- response: Ask the owner of the bucket. If nobody knows, stop the principal, and bring former versions back where the
--   bucket keeps them.
-- false_positives: jobs that tidy up temporary files; raise min_deleted for busy buckets
-- blind_spots: everything, unless data events of S3 are in the trail; one call that names a thousand objects counts
--   once; objects that expire by a rule leave no events
WITH hours AS (
    SELECT
        principal_arn,
        account_id,
        COALESCE(json_extract_scalar(request_parameters, '$.bucketName'), resource_arn) AS bucket,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM cloudtrail_events
    WHERE event_source = 's3.amazonaws.com'
      AND event_name IN ('DeleteObject', 'DeleteObjects')
    GROUP BY
        principal_arn,
        account_id,
        COALESCE(json_extract_scalar(request_parameters, '$.bucketName'), resource_arn),
        date_trunc('hour', event_time)
    HAVING count(*) >= :min_deleted
)
SELECT
    principal_arn,
    account_id,
    bucket AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM hours
GROUP BY principal_arn, account_id, bucket
ORDER BY principal_arn, account_id, bucket
