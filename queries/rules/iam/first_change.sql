-- title: Principal changed IAM in a way it never had
-- kind: first_seen
-- severity: low
-- attack: [T1098]
-- pci: ["7.2.1", "10.2.1.5", "11.5.1"]
-- why: Few principals change users, roles and rights, and those do the same few things every week. A call that one of
--   them never made before is where a stolen key begins to differ from its owner.
-- response: Read what was changed and ask the owner of the principal. It weighs more beside other findings of the same
--   principal or hour.
-- false_positives: a rare but planned task; a pipeline that deploys something new
-- blind_spots: principals of whom the baseline knows nothing, such as new roles
SELECT *,
    event_name AS resource
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'UpdateAccessKey',
      'CreateServiceSpecificCredential', 'CreateRole', 'CreateGroup', 'CreatePolicy', 'CreatePolicyVersion',
      'SetDefaultPolicyVersion', 'AttachUserPolicy', 'AttachGroupPolicy', 'AttachRolePolicy', 'PutUserPolicy',
      'PutGroupPolicy', 'PutRolePolicy', 'AddUserToGroup', 'UpdateAssumeRolePolicy', 'AddRoleToInstanceProfile',
      'CreateSAMLProvider', 'UpdateSAMLProvider', 'CreateOpenIDConnectProvider', 'DeactivateMFADevice',
      'EnableMFADevice', 'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary', 'DetachUserPolicy',
      'DetachRolePolicy', 'DeleteUserPolicy', 'DeleteRolePolicy', 'DeletePolicy', 'DeleteUser', 'DeleteRole',
      'DeleteLoginProfile', 'UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy'
  )
  AND hand <> 'service'
