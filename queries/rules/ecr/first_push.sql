-- title: Image pushed by a principal that never did
-- kind: first_seen
-- severity: medium
-- hands: same
-- attack: [T1525]
-- pci: ["6.5.1", "11.5.1"]
-- why: This principal put an image into a repository it never pushed to before. Whoever fills a repository decides what
--   its tasks run, so few should, and always the same.
-- response: Ask the owner of the principal. If nobody knows, compare the image's digest with what the pipeline built,
--   and replace the tasks that run it.
-- false_positives: a new repository; a pipeline that was given another role
-- blind_spots: a pipeline's own role, stolen
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.repositoryName'),
        regexp_extract(resource_arn, 'repository/(.+)$', 1),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'PutImage'
