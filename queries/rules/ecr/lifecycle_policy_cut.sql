-- title: Images set to expire almost at once
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   few_images: {type: bigint, default: 1, about: "no more than this many images are kept, whatever their tags"}
--   few_days: {type: bigint, default: 3, about: "or none is kept longer than this many days"}
-- attack: [T1485.001]
-- pci: ["10.2.1.7", "12.10.5"]
-- why: ECR itself will delete nearly every image of this repository within a day. What runs cannot be started anew, and
--   an earlier version to go back to is gone.
-- response: Remove the policy at once; deletion starts within 24 hours. Push what is missing again from the pipeline.
-- false_positives: repositories of test builds that nothing runs from for long
-- blind_spots: tags covered by prefix or pattern, except for a lone star; images moved to the archive
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'PutLifecyclePolicy'
  AND any_match(
      TRY_CAST(
          json_extract(json_extract_scalar(request_parameters, '$.lifecyclePolicyText'), '$.rules') AS ARRAY(JSON)
      ),
      rule -> json_extract_scalar(rule, '$.action.type') = 'expire'
          AND (
              json_extract_scalar(rule, '$.selection.tagStatus') = 'any'
              OR json_format(json_extract(rule, '$.selection.tagPatternList')) = '["*"]'
          )
          AND TRY_CAST(json_extract_scalar(rule, '$.selection.countNumber') AS BIGINT)
          <= CASE json_extract_scalar(rule, '$.selection.countType')
              WHEN 'imageCountMoreThan' THEN :few_images
              WHEN 'sinceImagePushed' THEN :few_days
          END
  )
