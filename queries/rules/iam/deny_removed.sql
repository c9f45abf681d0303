-- title: Policy that forbids was taken away
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   names:
--     type: varchar
--     default: '(?i)(deny|denied|boundary|guard-?rail|quarantine|restrict|protect|revokeoldersessions)'
--     about: pattern of the names of policies that forbid
-- attack: [T1098.003, T1562.001]
-- pci: ["7.2.1", "7.3.1", "10.2.1.5"]
-- cis: ["3.0/4.4", "7.0/5.4"]
-- why: By its name this policy was there to forbid something, or to lock out a leaked key. Without it the user, group
--   or role may do again what it was kept from, and no new right had to be given.
-- response: Ask the principal why. Attach the policy again if there is no good answer, and read what the user or role
--   did since it was gone. A quarantine is lifted only after the leaked keys are deleted.
-- false_positives: an incident that is over; a stack that is taken down with its policies
-- blind_spots: policies that forbid under another name, and denials cut out of a text that stays
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'DetachUserPolicy', 'DetachGroupPolicy', 'DetachRolePolicy', 'DeleteUserPolicy', 'DeleteGroupPolicy',
      'DeleteRolePolicy', 'DeletePolicy'
  )
  AND regexp_like(
      COALESCE(
          json_extract_scalar(request_parameters, '$.policyName'),
          regexp_extract(json_extract_scalar(request_parameters, '$.policyArn'), '[^/]+$')
      ),
      :names
  )
