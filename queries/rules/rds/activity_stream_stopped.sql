-- title: Activity stream of a database stopped
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.3.2"]
-- why: The activity stream is the log of every statement in the database, kept out of its administrators' reach. What
--   is done there from now on leaves no trace.
-- response: Start the stream again unless its owner knows of it. Find out what was done in the database meanwhile by
--   other means.
-- false_positives: a database that is retired, or moves to another kind of log
-- blind_spots: databases without a stream; a stream that nobody reads
SELECT *
FROM cloudtrail_events
WHERE event_source = 'rds.amazonaws.com'
  AND event_name = 'StopActivityStream'
