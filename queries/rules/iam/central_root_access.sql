-- title: Root access to all accounts switched on
-- kind: match
-- severity: high
-- attack: [T1098.003, T1548.005]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: With central root access, whoever administers IAM in the management account can act as root in every account of
--   the organization and remove its bucket and queue policies. It is switched on once, on purpose, by few people.
-- response: Ask the cloud team whether this was planned. If not, disable the feature, and look for AssumeRoot in the
--   management account and in the one that IAM was delegated to.
-- false_positives: the day the organization adopts central root access
-- blind_spots: the organization's management account may hold its own trail
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'organizations.amazonaws.com')
  AND event_name IN (
      'EnableOrganizationsRootSessions', 'EnableOrganizationsRootCredentialsManagement', 'EnableAWSServiceAccess',
      'RegisterDelegatedAdministrator'
  )
  AND (
      event_source = 'iam.amazonaws.com'
      OR json_extract_scalar(request_parameters, '$.servicePrincipal') = 'iam.amazonaws.com'
  )
