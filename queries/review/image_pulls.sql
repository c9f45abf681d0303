-- title: Which images were pulled, by tag or by digest
-- about: One row for each repository, tag or digest, and kind of hand. Pulls of registries other than ECR are not in
--   CloudTrail.
-- reads: [cloudtrail_events]
WITH asked AS (
    SELECT
        event_time,
        event_id,
        account_id,
        outcome,
        principal_arn,
        hand,
        json_extract_scalar(request_parameters, '$.repositoryName') AS repository,
        TRY_CAST(json_extract(request_parameters, '$.imageIds') AS ARRAY(JSON)) AS images
    FROM cloudtrail_events
    WHERE event_source = 'ecr.amazonaws.com'
      AND event_name = 'BatchGetImage'
)
SELECT
    repository,
    json_extract_scalar(image, '$.imageTag') AS image_tag,
    json_extract_scalar(image, '$.imageDigest') AS image_digest,
    hand,
    count_if(outcome = 'ok') AS pull_count,
    count_if(outcome <> 'ok') AS failed_count,
    count(DISTINCT principal_arn) AS principal_count,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    account_id,
    min(event_id) AS event_id  -- the smallest, so that every engine picks the same one
FROM asked
CROSS JOIN UNNEST(images) AS t(image)
GROUP BY
    repository,
    json_extract_scalar(image, '$.imageTag'),
    json_extract_scalar(image, '$.imageDigest'),
    hand,
    account_id
ORDER BY repository, image_tag, image_digest, hand, account_id
