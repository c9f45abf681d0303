-- title: Trail told to leave out management events
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1", "10.2.1.6", "10.7.2"]
-- why: The trail goes on running but no longer records some or all of what is done to the account. Dashboards stay
--   green while the log has a hole.
-- response: Put the event selectors back to all management events, reads and writes. Take the time until then as partly
--   unobserved.
-- false_positives: a second trail that is meant for data events only
-- blind_spots: sources left out with excludeManagementEventSources
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name = 'PutEventSelectors'
  AND (
      any_match(
          TRY_CAST(json_extract(request_parameters, '$.eventSelectors') AS ARRAY(JSON)),
          selector -> json_extract_scalar(selector, '$.includeManagementEvents') = 'false'
              OR json_extract_scalar(selector, '$.readWriteType') IN ('ReadOnly', 'WriteOnly')
      )
      -- advanced selectors record only what one of them names
      OR NOT regexp_like(json_format(json_extract(request_parameters, '$.advancedEventSelectors')), '"Management"')
  )
