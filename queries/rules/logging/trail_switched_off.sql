-- title: CloudTrail switched off
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.7.2", "10.3.2"]
-- cis: ["3.0/4.5", "7.0/5.5"]
-- why: From this moment the trail records nothing, so everything done afterwards may be missing from this report.
--   Intruders switch the log off before they do what they came for.
-- response: Start the trail again, or make it anew, at once. Take the time until then as unobserved, and read other
--   sources (Event history, GuardDuty, flow logs) for it.
-- false_positives: a doubled trail that was retired; a test account closed down
-- blind_spots: an emptied log bucket (logging.log_bucket_removed) or a disabled key, which stop the log as well
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion')
