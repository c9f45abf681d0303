-- title: Settings of image repositories, and images pushed
-- about: What calls of the window set or pushed. A repository made without a word about its tags has tags that can be
--   moved. Settings made before the window are not here.
-- reads: [cloudtrail_events]
SELECT
    event_time,
    event_name,
    json_extract_scalar(request_parameters, '$.repositoryName') AS repository,
    json_extract_scalar(request_parameters, '$.imageTag') AS image_tag,
    COALESCE(
        json_extract_scalar(response_elements, '$.image.imageId.imageDigest'),
        json_extract_scalar(request_parameters, '$.imageDigest')
    ) AS image_digest,
    COALESCE(
        json_extract_scalar(response_elements, '$.repository.imageTagMutability'),
        json_extract_scalar(request_parameters, '$.imageTagMutability'),
        CASE WHEN event_name = 'CreateRepository' AND request_parameters IS NOT NULL THEN 'MUTABLE' END
    ) AS tag_mutability,
    CASE
        COALESCE(
            json_extract_scalar(response_elements, '$.repository.imageScanningConfiguration.scanOnPush'),
            json_extract_scalar(request_parameters, '$.imageScanningConfiguration.scanOnPush'),
            CASE WHEN event_name = 'CreateRepository' AND request_parameters IS NOT NULL THEN 'false' END
        )
        WHEN 'true' THEN TRUE
        WHEN 'false' THEN FALSE
    END AS scan_on_push,
    array_join(
        transform(
            TRY_CAST(json_extract(request_parameters, '$.rules') AS ARRAY(JSON)),
            rule -> json_extract_scalar(rule, '$.scanFrequency')
        ),
        ', '
    ) AS scan_frequencies,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    aws_region,
    event_id
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name IN (
      'CreateRepository', 'PutImage', 'PutImageTagMutability', 'PutImageScanningConfiguration',
      'PutRegistryScanningConfiguration', 'StartImageScan'
  )
ORDER BY event_time, event_id, account_id
