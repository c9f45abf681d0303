-- title: Part of the threat detection switched off
-- kind: match
-- severity: medium
-- attack: [T1562.001]
-- pci: ["10.7.2", "11.3.1", "11.5.1"]
-- why: Inspector, Macie, Detective, Access Analyzer, a standard of Security Hub or one of GuardDuty's protection plans
--   stopped watching. Each sees what the others do not.
-- response: Switch it on again if its owner does not know of it, and take the time until then as unobserved by that
--   service.
-- false_positives: a service given up to save money; a region that is not used
-- blind_spots: parts that were never on; agents on hosts that stopped reporting
SELECT *
FROM cloudtrail_events
WHERE event_name IN (
      'DisableMacie', 'UpdateMacieSession', 'Disable', 'DeleteGraph', 'DeleteAnalyzer', 'BatchDisableStandards',
      'UpdateDetector', 'UpdateMemberDetectors', 'DeleteMembers', 'DisassociateMembers', 'DeleteConfigRule',
      'DeleteConfigurationAggregator'
  )
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
  AND (
      event_source = 'macie2.amazonaws.com'
      AND (event_name = 'DisableMacie' OR json_extract_scalar(request_parameters, '$.status') = 'PAUSED')
      OR event_source = 'inspector2.amazonaws.com'
      AND event_name = 'Disable'
      OR event_source = 'detective.amazonaws.com'
      AND event_name = 'DeleteGraph'
      OR event_source = 'access-analyzer.amazonaws.com'
      AND event_name = 'DeleteAnalyzer'
      OR event_source = 'securityhub.amazonaws.com'
      AND event_name IN ('BatchDisableStandards', 'DeleteMembers', 'DisassociateMembers')
      OR event_source = 'config.amazonaws.com'
      AND event_name IN ('DeleteConfigRule', 'DeleteConfigurationAggregator')
      OR event_source = 'guardduty.amazonaws.com'
      AND (
          event_name IN ('DeleteMembers', 'DisassociateMembers')
          OR event_name IN ('UpdateDetector', 'UpdateMemberDetectors')
          AND any_match(
              TRY_CAST(json_extract(request_parameters, '$.features') AS ARRAY(JSON)),
              feature -> json_extract_scalar(feature, '$.status') = 'DISABLED'
          )
      )
  )
