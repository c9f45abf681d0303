-- Everything of a table, or of some services; auditkit/pull.py names the table and its columns.
SELECT *
FROM cloudtrail_events
WHERE service IN (:services)
