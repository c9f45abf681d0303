-- The events that some aggregate rules count, for all of them to read. auditkit/aggregate_rules.py puts in, as nodes:
--   :columns         those of the table, NULL for what none of the rules reads
--   :worth_counting  what an event must be for any of the rules to count it
SELECT :columns
FROM cloudtrail_events
WHERE :worth_counting
