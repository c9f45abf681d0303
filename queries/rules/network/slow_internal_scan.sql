-- title: Slow scan from inside the network
-- kind: aggregate
-- severity: high
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_doors: {type: bigint, default: 30, about: "distinct hosts and ports, counted together, refused to one source"}
--   min_hours: {type: bigint, default: 4, about: different hours in which it tried new ones}
--   fast: {type: bigint, default: 10, about: new ones in one hour that network.internal_scan sees already}
-- attack: [T1046]
-- pci: ["11.5.1", "1.2.5", "10.2.1.4"]
-- why: A machine inside tried a closed door every few minutes, another one each time, for hours. Somebody is looking
--   around and takes care not to be seen.
-- response: Find the workload behind the address (its interface is in the evidence), isolate it, and read what its role
--   did in CloudTrail since the first of these records.
-- false_positives: an inventory or monitoring program that spreads its work; a peer-to-peer program meeting its peers
-- blind_spots: doors that were open; scans slower than the window is long; several sources that share the work
WITH doors AS (
    SELECT
        account_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        min(interface_id) AS interface_id,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count
    FROM flow_records
    WHERE action = 'REJECT'
      AND regexp_like(
          srcaddr,
          '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
      )
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- answers to clients, stopped by a network ACL
      AND dstaddr NOT LIKE '%.255'  -- broadcasts
    GROUP BY account_id, srcaddr, dstaddr, dstport, protocol
),
hours AS (
    SELECT
        account_id,
        srcaddr,
        date_trunc('hour', first_seen) AS hour_start,  -- a door counts in the hour of its first try
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        count(*) AS door_count,
        sum(record_count) AS record_count,
        array_agg(DISTINCT
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        ) AS flows
    FROM doors
    GROUP BY account_id, srcaddr, date_trunc('hour', first_seen)
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    srcaddr AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    sum(record_count) AS failed_count,
    'denied' AS outcome,
    ARRAY[srcaddr] AS source_ips,
    slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100) AS evidence
FROM hours
GROUP BY account_id, srcaddr
HAVING sum(door_count) >= :min_doors
    AND count(*) >= :min_hours
    AND max(door_count) < :fast
ORDER BY account_id, srcaddr
