-- title: Images from a registry that was not used before
-- kind: first_seen
-- first_for: account
-- severity: medium
-- attack: [T1610, T1525]
-- pci: ["6.3.2", "11.5.1"]
-- why: A task definition takes its image from a registry that no task of the account came from before. The code inside
--   was made and checked by somebody else, or by nobody.
-- response: Ask who chose the image and where it comes from. If nobody knows, stop its tasks, deregister the revision,
--   and read what the task's role did.
-- false_positives: a new supplier or agent; a registry in a new region
-- blind_spots: a new image in a registry already used; containers after the first of a definition
SELECT *,
    CASE
        WHEN regexp_like(
            json_extract_scalar(request_parameters, '$.containerDefinitions[0].image'), '^([^/]*[.:][^/]*|localhost)/'
        )
        THEN lower(regexp_extract(json_extract_scalar(request_parameters, '$.containerDefinitions[0].image'), '^[^/]+'))
        ELSE 'docker.io'
    END AS resource
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND json_extract_scalar(request_parameters, '$.containerDefinitions[0].image') IS NOT NULL
