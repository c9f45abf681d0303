-- title: Permissions boundary lifted
-- kind: match
-- severity: high
-- per: resource
-- params:
--   boundless:
--     type: array(varchar)
--     default: [AdministratorAccess, PowerUserAccess, IAMFullAccess]
--     about: names of policies that as a boundary keep nobody from anything
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: A boundary caps what a user or role can ever do, whatever policies it carries. It was removed, or replaced by
--   one that allows everything, so every right that lay dormant behind it is now live.
-- response: Put the boundary back unless there is a ticket, and read what the user or role did since. See who may call
--   these operations; with a boundary in use, nearly nobody should.
-- false_positives: a rearrangement of boundaries by the platform team
-- blind_spots: a boundary whose own text is widened (iam.policy_text_changed), and roles made without one
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary', 'PutUserPermissionsBoundary',
      'PutRolePermissionsBoundary'
  )
  AND (
      event_name LIKE 'Delete%'
      OR regexp_extract(json_extract_scalar(request_parameters, '$.permissionsBoundary'), '[^/]+$') IN (:boundless)
  )
