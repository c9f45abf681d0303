-- title: Task from a public image
-- kind: match
-- severity: low
-- per: resource
-- params:
--   registries:
--     type: varchar
--     default: '^(([a-z0-9.-]+\.)?docker\.(io|com)|ghcr\.io|quay\.io|public\.ecr\.aws|gcr\.io)/'
--     about: pattern of the beginnings of image names that anybody may publish under
-- attack: [T1610, T1525]
-- pci: ["6.3.2", "6.3.3", "2.2.1"]
-- why: The task runs an image out of a registry where anybody may publish. Its publisher decides what the next start
--   runs, and nobody of yours has scanned it.
-- response: Compare the image with what the family ran before. Copy what you need into your own registry, and name it
--   there by its digest.
-- false_positives: agents that AWS and others publish this way; trials
-- blind_spots: public images behind a pull-through cache; names of private registries that serve public images
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
      container -> regexp_like(json_extract_scalar(container, '$.image'), :registries)
          OR NOT regexp_like(json_extract_scalar(container, '$.image'), '^([^/]*[.:][^/]*|localhost)/')
  )
