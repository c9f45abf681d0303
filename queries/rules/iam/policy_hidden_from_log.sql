-- title: Policy so long that the log leaves it out
-- kind: match
-- severity: high
-- hands: same
-- attack: [T1562.008, T1098.003]
-- pci: ["10.2.1.5", "10.3.2", "7.2.1"]
-- why: CloudTrail leaves out a request of more than 100 KB, and IAM does not count the spaces in a policy. Padding a
--   policy with spaces hides from the log what it allows and who got it; hardly anybody does so by accident.
-- response: The log names neither the text nor its bearer. Compare all policies changed at that time with what they
--   should be (aws iam get-account-authorization-details), and disable the principal until it is clear.
-- false_positives: a generated policy full of white space
-- blind_spots: what was written, and into whom
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'sso.amazonaws.com')
  AND json_extract_scalar(request_parameters, '$.omitted') = 'true'
  AND event_name IN (
      'PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'CreatePolicy', 'CreatePolicyVersion', 'CreateRole',
      'UpdateAssumeRolePolicy', 'PutInlinePolicyToPermissionSet'
  )
