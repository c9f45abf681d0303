-- title: Master password of a database changed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.001, T1531]
-- pci: ["8.3.1", "8.6.3", "10.2.1.5"]
-- why: Whoever may call this needs to know no password of the database, but sets one and is its administrator. The
--   former one stops working, so it may show as an outage first.
-- response: Ask the owner of the database. If nobody knows the change, set another password, look at who signed in
--   since, and revoke the principal's sessions.
-- false_positives: a forgotten password; a yearly change of it
-- blind_spots: passwords that are changed inside the database, and those that Secrets Manager looks after
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.clusterIdentifier'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source IN ('rds.amazonaws.com', 'redshift.amazonaws.com')
  AND event_name IN ('ModifyDBInstance', 'ModifyDBCluster', 'ModifyCluster')
  AND json_extract(request_parameters, '$.masterUserPassword') IS NOT NULL
