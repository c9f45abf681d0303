-- title: Scans from the internet
-- kind: aggregate
-- severity: low
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_ports: {type: bigint, default: 10, about: distinct ports refused to one source in one hour}
--   min_hosts: {type: bigint, default: 10, about: or distinct hosts refused to it in one hour}
-- attack: [T1595.001]
-- pci: ["11.5.1", "10.2.1.4"]
-- why: Addresses on the internet tried many ports or hosts of this account and were refused. Every public address is
--   scanned all day, so this shows that the filters work; one finding sums them all.
-- response: Nothing for the scans themselves. Look whether one of these addresses also appears in CloudTrail
--   (network/rejects_and_events) or got through (network.remote_admin_from_internet).
-- false_positives: an outside scanning service under contract
-- blind_spots: scans spread over many addresses, or slower than an hour; at most 100 sources are listed
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
      AND COALESCE(flow_direction, 'ingress') = 'ingress'
      AND NOT regexp_like(
          srcaddr,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- answers of servers, come too late
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
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'denied' AS outcome,
    slice(array_sort(array_agg(DISTINCT srcaddr)), 1, 100) AS source_ips,
    slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100) AS evidence
FROM scans
GROUP BY account_id
ORDER BY account_id
