-- title: Trust policy of a role changed
-- kind: match
-- severity: medium
-- yields_to: [iam.role_trusts_everyone, iam.role_trusts_other_account]
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: The trust policy says who may take a role and all its rights. Whoever may change it can let in themselves, a
--   service they run code in, or an identity provider of their own, and keep that way in.
-- response: Read the new trust policy in the request and compare it with the one before. If a principal is new and
--   nobody asked for it, restore the old text, revoke the role's sessions, and look for AssumeRole of this role since.
-- false_positives: a new pipeline, cluster or vendor that needs the role
-- blind_spots: what the text was before; roles made with a bad trust policy from the start
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'UpdateAssumeRolePolicy'
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
