-- title: Scan from inside the network
-- kind: aggregate
-- severity: high
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_ports: {type: bigint, default: 10, about: distinct ports refused to one source in one hour}
--   min_hosts: {type: bigint, default: 10, about: or distinct hosts refused to it in one hour}
-- attack: [T1046]
-- pci: ["11.5.1", "1.2.5", "10.2.1.4"]
-- why: A machine or task inside the network knocked on many doors that were closed to it. Programs know where they want
--   to go; somebody who has just got in does not.
-- response: Find the workload behind the address (its interface is in the evidence), isolate it, and look at what its
--   role did in CloudTrail at the same time (network/rejects_and_events).
-- false_positives: a vulnerability scanner of your own; monitoring that tries every host; peer-to-peer clusters after a
--   security group change
-- blind_spots: scans of ports that are open; scans slower than an hour; subnets without flow logs
WITH knocks AS (
    SELECT
        account_id,
        srcaddr,
        dstaddr,
        dstport,
        date_trunc('hour', start_time) AS hour_start,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
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
    GROUP BY account_id, srcaddr, dstaddr, dstport, protocol, interface_id, date_trunc('hour', start_time)
),
scans AS (
    SELECT
        account_id,
        srcaddr,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(record_count) AS event_count,
        array_agg(DISTINCT flow) AS flows
    FROM knocks
    GROUP BY account_id, srcaddr, hour_start
    HAVING count(DISTINCT dstport) >= :min_ports
        OR count(DISTINCT dstaddr) >= :min_hosts
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    srcaddr AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'denied' AS outcome,
    ARRAY[srcaddr] AS source_ips,
    slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100) AS evidence
FROM scans
GROUP BY account_id, srcaddr
ORDER BY account_id, srcaddr
