-- title: Another version of a policy made the valid one
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: A managed policy keeps five versions, and this call brings one of them back by its number, often one that
--   allowed more. Somebody who may do only this can still end up with rights that were taken away long ago.
-- response: Read the version that is valid now (aws iam get-policy-version) and see who carries the policy. Go back to
--   the version before if nobody asked for the change, and delete versions that nobody needs.
-- false_positives: a change of rights that is rolled back after it broke something
-- blind_spots: what the version allows, which is not in the log
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'SetDefaultPolicyVersion'
