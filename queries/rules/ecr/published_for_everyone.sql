-- title: Image published in the public gallery
-- kind: first_seen
-- first_for: account
-- severity: medium
-- hands: same
-- attack: [T1537]
-- pci: ["7.2.1", "11.5.1"]
-- why: An image of this account went to a repository of ECR Public that it never used before. Anybody may take it, and
--   the code and secrets in it, without an account.
-- response: Ask who wanted it published. If nobody did, delete the repository at once, change every secret in the
--   image, and disable the principal until it is clear what else left.
-- false_positives: the first release of open software
-- blind_spots: a repository already in use; accounts of whom nothing is known before the window; who took the image
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.repositoryName'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr-public.amazonaws.com'
  AND event_name = 'PutImage'
