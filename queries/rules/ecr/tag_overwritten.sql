-- title: Image tag moved to another image
-- kind: aggregate
-- severity: medium
-- hands: same
-- per: resource
-- reads: [cloudtrail_events]
-- params:
--   fixed_tags: {type: varchar, default: '^v?[0-9]+\.[0-9]+\.[0-9]+|^(git-|sha-)?[0-9a-f]{7,64}$|^(prod|release)',
--     about: "tags that nobody should move, as a pattern; others may move while one principal moves them"}
-- attack: [T1525]
-- pci: ["6.5.1", "11.5.2"]
-- why: A version that was already published now stands for another image, or somebody else than before moved a tag.
--   Tasks started from now on run the new image, under the name that everybody trusts.
-- response: Compare the two digests, which the evidence shows, with what your pipeline built. If the second is not
--   yours, push the first again, replace the tasks that run it, and make the tags immutable.
-- false_positives: a build that was run again for the same version; a pipeline that was given another role
-- blind_spots: a tag first pushed before the window; refused attempts on immutable tags; a tag such as latest, moved
--   with the pipeline's own role
WITH pushes AS (
    SELECT
        principal_arn,
        account_id,
        aws_region,
        json_extract_scalar(request_parameters, '$.repositoryName') AS repository,
        json_extract_scalar(request_parameters, '$.imageTag') AS tag,
        COALESCE(
            json_extract_scalar(response_elements, '$.image.imageId.imageDigest'),
            json_extract_scalar(request_parameters, '$.imageDigest')
        ) AS digest,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        source_ip,
        hand
    FROM cloudtrail_events
    WHERE event_source = 'ecr.amazonaws.com'
      AND event_name = 'PutImage'
      AND outcome = 'ok'
),
followed AS (
    SELECT
        *,
        lag(digest) OVER (PARTITION BY account_id, aws_region, repository, tag ORDER BY mark) AS digest_before,
        lag(principal_arn) OVER (
            PARTITION BY account_id, aws_region, repository, tag ORDER BY mark
        ) AS pushed_before_by,
        lag(mark) OVER (PARTITION BY account_id, aws_region, repository, tag ORDER BY mark) AS mark_before
    FROM pushes
    WHERE tag IS NOT NULL
      AND digest IS NOT NULL
)
SELECT
    principal_arn,
    account_id,
    repository || ':' || tag AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    CAST(0 AS BIGINT) AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    transform(
        array_sort(array_distinct(flatten(array_agg(ARRAY[mark_before, mark])))),
        mark -> regexp_extract(mark, '[^ ]+$')
    ) AS evidence
FROM followed
WHERE digest <> digest_before
  AND (regexp_like(tag, :fixed_tags) OR principal_arn <> pushed_before_by)
GROUP BY principal_arn, account_id, repository || ':' || tag
ORDER BY principal_arn, account_id, repository || ':' || tag
