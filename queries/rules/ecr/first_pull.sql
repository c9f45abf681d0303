-- title: Images pulled by a principal that never did
-- kind: first_seen
-- severity: low
-- hands: same
-- attack: [T1552.001, T1537]
-- pci: ["7.2.1", "11.5.1"]
-- why: Images hold code and now and then keys. This principal never took any, or a token to take them with, and it is
--   no machine that starts them.
-- response: Ask the owner of the principal. If nobody knows, revoke its sessions, and look for secrets in the images it
--   took.
-- false_positives: a developer's first day with Docker
-- blind_spots: principals of whom nothing at all is known, such as those of another account; a machine's own role
SELECT *,
    'registry ' || COALESCE(json_extract_scalar(request_parameters, '$.registryId'), account_id) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name IN ('GetAuthorizationToken', 'BatchGetImage', 'GetDownloadUrlForLayer')
  AND hand NOT IN ('service', 'workload')
