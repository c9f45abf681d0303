-- title: Image pushed by a person
-- kind: match
-- severity: medium
-- hands: same
-- per: resource
-- params:
--   open_repositories: {type: array(varchar), default: [], about: names of repositories people may push to}
-- attack: [T1525]
-- pci: ["6.5.1", "10.2.1.2"]
-- why: A person put an image into the registry, past the pipeline that builds, tests and scans. What is in it nobody
--   but this person has seen.
-- response: Ask the person why. If it was not them, revoke their sessions, delete the image, and replace the tasks that
--   run its digest.
-- false_positives: registries where developers push by hand; name those repositories in open_repositories
-- blind_spots: a Docker client with the key of an IAM user and no MFA, which may be a person's or a pipeline's
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'PutImage'
  AND COALESCE(json_extract_scalar(request_parameters, '$.repositoryName'), '') NOT IN (:open_repositories)
  AND hand = 'person'
