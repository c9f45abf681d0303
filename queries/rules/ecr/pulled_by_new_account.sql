-- title: Images pulled by an account that never did
-- kind: first_seen
-- first_for: account
-- severity: medium
-- hands: same  # docker pull goes through the registry's own address, so it looks like a service's
-- params:
--   known_accounts:
--     type: array(varchar)
--     default: []
--     about: accounts of your own or of customers that may pull images
-- attack: [T1537, T1199]
-- pci: ["7.2.1", "12.8.1", "11.5.1"]
-- why: Somebody of another AWS account took images from this registry, and nobody of that account did before. Your
--   programs, and what was left in them, are now in foreign hands.
-- response: Find out whose account it is and which repository policy lets it in. If nobody knows, close the policy, and
--   change every secret that was built into those images.
-- false_positives: an account that the organization opens; a new customer
-- blind_spots: repositories of ECR Public; roles of this account taken by others (sts.new_outside_account)
SELECT *,
    principal_account AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name IN ('BatchGetImage', 'GetDownloadUrlForLayer')
  AND principal_account <> account_id
  AND principal_account NOT IN (:known_accounts)
  AND COALESCE(identity_type, '') <> 'AWSService'
