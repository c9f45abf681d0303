-- title: Text of a policy written or changed
-- kind: match
-- severity: low
-- yields_to: [iam.admin_policy_written, iam.strong_rights_written]
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- cis: ["3.0/4.4", "7.0/5.4"]
-- why: A policy written into a user, group or role, or a new version of a managed one, changes at once what its bearers
--   may do. Such a change is small in the log and easily missed, so every one should have a reason.
-- response: Read the text in the request and compare it with the ticket. Other rules look for texts that give the whole
--   account (iam.admin_policy_written) or one service (iam.strong_rights_written); this one shows the rest.
-- false_positives: deployments, which write policies every day
-- blind_spots: resource policies, which lie with their services; texts over 100 KB (iam.policy_hidden_from_log);
--   refused calls whose parameters AWS left out (iam.permission_change_refused)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy', 'CreatePolicyVersion')
  -- a version that does not become the default gives nobody anything yet
  AND (event_name <> 'CreatePolicyVersion' OR json_extract_scalar(request_parameters, '$.setAsDefault') = 'true')
  AND regexp_like(json_extract_scalar(request_parameters, '$.policyDocument'), '(?i)"statement"')
  -- what the console writes when somebody ends a role's sessions
  AND COALESCE(json_extract_scalar(request_parameters, '$.policyName'), '') <> 'AWSRevokeOlderSessions'
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
