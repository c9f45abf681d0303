-- title: Refused when trying to change permissions
-- kind: match
-- severity: medium
-- attempts: same
-- attack: [T1098.003, T1098.001]
-- pci: ["7.2.1", "7.3.1", "10.2.1.4"]
-- why: Somebody without the right to do so tried to give permissions to a user, group, role or policy. AWS leaves out
--   of a refused call what was to be given, so it may have been administrator rights.
-- response: Ask the principal what it was meant to do. If nobody knows, disable the key or revoke the session, and look
--   at what the same principal did successfully before and after.
-- false_positives: a pipeline or a person whose rights stop short of what they were asked to set up
-- blind_spots: none for IAM itself; permission sets of Identity Center are not looked at here
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND outcome = 'denied'
  AND event_name IN (
      'AttachUserPolicy', 'AttachGroupPolicy', 'AttachRolePolicy', 'PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy',
      'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion', 'AddUserToGroup', 'UpdateAssumeRolePolicy',
      'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary', 'PutUserPermissionsBoundary',
      'PutRolePermissionsBoundary'
  )
  AND COALESCE(request_parameters, 'null') = 'null'  -- with parameters, the rules for what was asked judge it
  AND invoked_by IS NULL
