-- title: IAM changed by an instance, task or function
-- kind: match
-- severity: high
-- attack: [T1098, T1552.005, T1078.004]
-- pci: ["7.2.5", "8.6.1", "10.2.1.5"]
-- why: The role of a machine made users, keys, roles or rights. Machines rarely need that; somebody who stole a
--   machine's credentials does it first, because those expire within hours.
-- response: Find out what runs there. If it has no business with IAM, stop it, revoke the role's sessions, undo what it
--   changed, and take the rights out of the role.
-- false_positives: a self-hosted pipeline runner, an operator in a cluster, or a tool that hands out users for a time
-- blind_spots: sessions under a name that does not give the machine away
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'CreateServiceSpecificCredential',
      'AttachUserPolicy', 'AttachGroupPolicy', 'AttachRolePolicy', 'PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy',
      'CreatePolicyVersion', 'SetDefaultPolicyVersion', 'AddUserToGroup', 'CreateRole', 'UpdateAssumeRolePolicy',
      'CreateSAMLProvider', 'CreateOpenIDConnectProvider', 'DeactivateMFADevice', 'DeleteRolePermissionsBoundary',
      'DeleteUserPermissionsBoundary'
  )
  AND hand = 'workload'
