-- title: Log of AI model use switched off
-- kind: match
-- severity: high
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.3.2"]
-- why: This log alone holds what was asked of models and what they answered. To delete it hides what a thief of keys
--   does with them.
-- response: Switch the log on again, and read in CloudTrail which models were used since and by whom.
-- false_positives: a log that moves to another place within the same hour
-- blind_spots: a log that is pointed elsewhere; regions that never had one
SELECT *
FROM cloudtrail_events
WHERE event_source = 'bedrock.amazonaws.com'
  AND event_name = 'DeleteModelInvocationLoggingConfiguration'
