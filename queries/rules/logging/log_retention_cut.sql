-- title: Log group told to forget after a few days
-- kind: match
-- severity: low
-- per: resource
-- params:
--   few_days: {type: bigint, default: 7, about: lines that are kept no longer than this many days}
-- attack: [T1562.008, T1070]
-- pci: ["10.5.1", "10.3.2"]
-- why: The group's lines now vanish by themselves after a few days, and older ones with them. An intruder who may not
--   delete a log can still let it run out.
-- response: Set the retention back at once, since lines are deleted within about three days. Export what matters.
-- false_positives: groups of debug output or of test environments
-- blind_spots: the retention before, which the log does not show
SELECT *
FROM cloudtrail_events
WHERE event_source = 'logs.amazonaws.com'
  AND event_name = 'PutRetentionPolicy'
  AND TRY_CAST(json_extract_scalar(request_parameters, '$.retentionInDays') AS BIGINT) <= :few_days
  AND hand <> 'service'
