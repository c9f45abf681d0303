-- title: Person put another task definition into a service
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1610, T1525]
-- pci: ["6.5.1", "10.2.1.2", "11.5.2"]
-- why: A person told a running service which task definition to run, past the pipeline and its reviews. Other code may
--   now answer your customers, with the service's rights.
-- response: Compare the image, command and roles of the revision with the one before. If nobody approved it, deploy the
--   former one again, and ask the person.
-- false_positives: a release taken back by hand in a hurry; teams without a pipeline
-- blind_spots: a new image under the tag that the service already runs; deployments of CodeDeploy
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name = 'UpdateService'
  AND json_extract_scalar(request_parameters, '$.taskDefinition') IS NOT NULL
  AND hand = 'person'
