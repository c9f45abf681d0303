-- title: Changes to the rights and the trust of given roles
-- reads: [cloudtrail_events]
-- params:
--   roles: {type: array(varchar), default: [], about: roles by their names}
SELECT
    event_time,
    event_name,
    json_extract_scalar(request_parameters, '$.roleName') AS role,
    COALESCE(
        json_extract_scalar(request_parameters, '$.policyArn'),
        json_extract_scalar(request_parameters, '$.policyName'),
        json_extract_scalar(request_parameters, '$.permissionsBoundary')
    ) AS policy,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    event_id
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'CreateRole', 'DeleteRole', 'AttachRolePolicy', 'DetachRolePolicy', 'PutRolePolicy', 'DeleteRolePolicy',
      'UpdateAssumeRolePolicy', 'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary'
  )
  AND json_extract_scalar(request_parameters, '$.roleName') IN (:roles)
ORDER BY event_time, event_id, account_id
