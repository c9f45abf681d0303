-- title: Log group or stream deleted
-- kind: match
-- severity: low
-- attack: [T1562.008, T1070]
-- pci: ["10.3.2", "10.5.1"]
-- why: What programs, containers or shells had written there is gone. Deleting single streams in particular is rarely
--   housekeeping, since AWS offers a retention time for that.
-- response: See whose log it was and whether copies exist. Ask the principal why it was not left to the retention time.
-- false_positives: applications taken down by hand or by infrastructure code
-- blind_spots: a retention time set so short that the log empties by itself (logging.log_retention_cut)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'logs.amazonaws.com'
  AND event_name IN ('DeleteLogGroup', 'DeleteLogStream')
  AND invoked_by IS NULL
