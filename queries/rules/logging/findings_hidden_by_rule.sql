-- title: Rule written that hides findings of a detector
-- kind: match
-- severity: medium
-- attack: [T1562.001]
-- pci: ["10.7.2", "11.5.1", "12.10.5"]
-- why: GuardDuty, Security Hub, Inspector, Macie or Access Analyzer go on finding things, but what fits the new filter
--   is archived before anybody sees it. Intruders write such filters for their own address.
-- response: Read what the filter names and whether that is agreed. Delete it if not, and look through the archived
--   findings of the time it stood.
-- false_positives: a known scanner or accepted risk that the security team takes out
-- blind_spots: filters that were there before; rules of other tools that take findings further
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.name'),
        json_extract_scalar(request_parameters, '$.filterName'),
        json_extract_scalar(request_parameters, '$.ruleName'),
        json_extract_scalar(request_parameters, '$.RuleName'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_name IN ('CreateFilter', 'UpdateFilter', 'CreateFindingsFilter', 'UpdateFindingsFilter',
                     'CreateArchiveRule', 'UpdateArchiveRule', 'CreateAutomationRule', 'BatchUpdateAutomationRules')
  AND (
      event_source IN ('guardduty.amazonaws.com', 'inspector2.amazonaws.com', 'macie2.amazonaws.com')
      AND json_extract_scalar(request_parameters, '$.action') IN ('ARCHIVE', 'SUPPRESS')
      OR event_source = 'access-analyzer.amazonaws.com'
      OR event_source = 'securityhub.amazonaws.com'
      AND regexp_like(
          request_parameters, '"[Ss]tatus"\s*:\s*"(SUPPRESSED|RESOLVED)"|"[Ss]everity"\s*:\s*\{[^{}]*"INFORMATIONAL"'
      )
  )
