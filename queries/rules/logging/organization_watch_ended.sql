-- title: Central watch over the organization's accounts ended
-- kind: match
-- severity: high
-- attack: [T1562.001, T1562.008]
-- pci: ["10.3.3", "10.7.2", "11.5.1"]
-- why: A central account lost its right to see the trail, the configuration or the threats of all member accounts. One
--   call makes the security team blind everywhere at once.
-- response: Appoint the administrator account again and check that every member reports to it. Look into the management
--   account first, since only it can do this.
-- false_positives: moving the administration to another account, which takes the same call
-- blind_spots: members that were never part of it
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.servicePrincipal'),
        event_source
    ) AS resource
FROM cloudtrail_events
WHERE event_name IN (
      'DisableAWSServiceAccess', 'DeregisterDelegatedAdministrator', 'DeregisterOrganizationDelegatedAdmin',
      'DisableOrganizationAdminAccount', 'DisableDelegatedAdminAccount', 'UpdateOrganizationConfiguration'
  )
  AND (
      event_source = 'organizations.amazonaws.com'
      AND regexp_like(
          json_extract_scalar(request_parameters, '$.servicePrincipal'),
          '^(malware-protection\.)?(cloudtrail|config(-multiaccountsetup)?|guardduty|securityhub|macie|inspector2'
              || '|detective|access-analyzer|securitylake|fms)\.'
      )
      OR event_source = 'cloudtrail.amazonaws.com'
      AND event_name = 'DeregisterOrganizationDelegatedAdmin'
      OR event_source IN (
          'guardduty.amazonaws.com', 'securityhub.amazonaws.com', 'macie2.amazonaws.com', 'detective.amazonaws.com',
          'inspector2.amazonaws.com'
      )
      AND (
          event_name IN ('DisableOrganizationAdminAccount', 'DisableDelegatedAdminAccount')
          OR json_extract_scalar(request_parameters, '$.autoEnable') = 'false'
          OR json_extract_scalar(request_parameters, '$.autoEnableOrganizationMembers') = 'NONE'
      )
  )
