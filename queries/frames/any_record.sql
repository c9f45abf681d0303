-- Whether a table holds anything in the window; auditkit/match_rules.py names the table.
SELECT 1 AS found
FROM cloudtrail_events
LIMIT 1
