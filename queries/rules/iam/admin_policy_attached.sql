-- title: Administrator policy attached
-- kind: match
-- severity: critical
-- per: resource
-- params:
--   policies:
--     type: array(varchar)
--     default: [AdministratorAccess, IAMFullAccess]
--     about: names of policies that give the whole account
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- cis: ["3.0/4.4", "7.0/5.4"]
-- why: The user, group or role named here can now do anything in the account, and can also remove the traces of it.
--   Intruders give themselves this right early, because it survives the loss of the key they came in with.
-- response: Ask the principal for the change ticket. Without one, detach the policy, disable the keys and sessions of
--   the user or role that got it, and read everything both have done since the first time shown.
-- false_positives: setting up a new account, a break-glass role, or a deployment pipeline that is meant to be
--   administrator
-- blind_spots: a customer policy under another name (iam.admin_policy_written looks at its text when it is written),
--   and refused calls whose parameters AWS left out
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'sso.amazonaws.com')
  AND event_name IN ('AttachUserPolicy', 'AttachGroupPolicy', 'AttachRolePolicy', 'AttachManagedPolicyToPermissionSet')
  AND regexp_extract(
      COALESCE(
          json_extract_scalar(request_parameters, '$.policyArn'),
          json_extract_scalar(request_parameters, '$.managedPolicyArn')
      ),
      '[^/]+$'
  ) IN (:policies)
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'  -- Identity Center rolling a permission set out
