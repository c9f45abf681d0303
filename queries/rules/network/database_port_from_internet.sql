-- title: Database port tried from the internet
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [flow_records]
-- params:
--   ports:
--     type: array(bigint)
--     default: [1433, 1521, 3306, 5432, 5433, 5439, 6379, 6380, 9042, 9200, 11211, 27017, 27018]
--     about: ports of databases, caches and search engines
-- attack: [T1190, T1046]
-- pci: ["1.4.4", "1.4.2", "1.3.1"]
-- why: Databases must not be within reach of the internet. Where the traffic was let through, an interface is named and
--   the matter is severe; all attempts that the network refused are summed in one finding for the account.
-- response: Take the open rule out of the interface's security group, see from which addresses data went out, and
--   change the database's passwords. Refused attempts need nothing.
-- false_positives: a database that is public on purpose; traffic of another kind on the same port number
-- blind_spots: databases on other ports; sources in peered networks and on-premises; IPv6 when the flow log lacks
--   flow-direction
WITH tries AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        action,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count
    FROM flow_records
    WHERE dstport IN (:ports)
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND action IN ('ACCEPT', 'REJECT')
      AND NOT regexp_like(
          srcaddr,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
      AND (
          flow_direction = 'ingress'
          OR (
              flow_direction IS NULL
              AND regexp_like(
                  dstaddr,
                  '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
              )
          )
      )
    GROUP BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol, action
),
per_interface AS (
    SELECT
        *,
        max(CASE WHEN action = 'ACCEPT' THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, interface_id) AS was_reached
    FROM tries
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    CASE WHEN was_reached = 1 THEN interface_id END AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    sum(CASE WHEN action = 'REJECT' THEN record_count ELSE 0 END) AS failed_count,
    slice(array_sort(array_agg(DISTINCT srcaddr)), 1, 100) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM per_interface
GROUP BY account_id, CASE WHEN was_reached = 1 THEN interface_id END
ORDER BY account_id, resource
