-- title: CloudTrail Lake told to forget sooner
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   few_days: {type: bigint, default: 364, about: events that are kept no longer than this many days}
-- attack: [T1562.008, T1070]
-- pci: ["10.5.1", "10.3.2"]
-- why: An event data store keeps its events for a shorter time now, or may be deleted by one call. That is the step
--   before the events of last month are gone.
-- response: Set retention and termination protection back, and look at what the principal did to the store's trails and
--   buckets.
-- false_positives: a store whose events are kept elsewhere as well
-- blind_spots: the settings before, which the log does not show
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name = 'UpdateEventDataStore'
  AND (
      TRY_CAST(json_extract_scalar(request_parameters, '$.retentionPeriod') AS BIGINT) <= :few_days
      OR json_extract_scalar(request_parameters, '$.terminationProtectionEnabled') = 'false'
  )
