-- title: Registry told to fetch images from outside
-- kind: match
-- severity: medium
-- params:
--   known_upstreams: {type: array(varchar), default: [], about: "hosts that images may come from, such as quay.io"}
-- attack: [T1525]
-- pci: ["6.3.2", "6.5.1"]
-- why: Names under this prefix are now filled from somebody else's registry, the moment anything asks for them. What
--   lies there looks like an image of your own.
-- response: Check that the upstream is one you chose. If not, delete the rule and the repositories under its prefix,
--   and look for tasks that use them.
-- false_positives: a cache for a public registry, set up on purpose; name its host in known_upstreams
-- blind_spots: an upstream you trust that serves a bad image
SELECT *,
    json_extract_scalar(request_parameters, '$.ecrRepositoryPrefix') || ' from '
        || json_extract_scalar(request_parameters, '$.upstreamRegistryUrl') AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'CreatePullThroughCacheRule'
  AND json_extract_scalar(request_parameters, '$.upstreamRegistryUrl') NOT IN (:known_upstreams)
  AND NOT starts_with(json_extract_scalar(request_parameters, '$.upstreamRegistryUrl'), account_id || '.dkr.ecr.')
