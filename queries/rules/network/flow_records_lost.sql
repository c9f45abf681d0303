-- title: Flow records were lost
-- kind: aggregate
-- severity: low
-- attempts: same
-- reads: [flow_records]
-- attack: []
-- pci: ["10.2.1", "10.7.2"]
-- why: AWS could not keep up and dropped records of these interfaces (SKIPDATA). For that time the absence of a reject
--   proves nothing.
-- response: Read statements about the network in those minutes as incomplete (evidence/blind_time lists them). A burst
--   of traffic that causes this may itself be worth a look.
-- false_positives: none; it is a statement about the evidence
-- blind_spots: interfaces without a flow log leave no trace at all
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen,
    count(*) AS event_count,
    0 AS failed_count,
    'error' AS outcome,
    CAST(ARRAY[] AS ARRAY(VARCHAR)) AS source_ips,
    slice(
        array_sort(array_agg(DISTINCT interface_id || ' SKIPDATA ' || date_format(start_time, '%Y-%m-%d %H:%i:%s'))),
        1,
        100
    ) AS evidence
FROM flow_records
WHERE log_status = 'SKIPDATA'
GROUP BY account_id
ORDER BY account_id
