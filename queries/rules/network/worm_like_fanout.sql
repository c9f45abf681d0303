-- title: Workload calls many public hosts on one port
-- kind: aggregate
-- severity: high
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_hosts: {type: bigint, default: 100, about: distinct public hosts called on one port in one hour}
--   known_ports:
--     type: array(bigint)
--     default: [53, 80, 123, 443, 853]
--     about: ports on which many hosts are called every day
-- attack: [T1595.001, T1110, T1498]
-- pci: ["1.3.2", "11.5.1"]
-- why: One workload called a hundred or more hosts on the internet on the same port within an hour. Worms look for
--   their next victim like this, and so do rented botnets; the complaints reach the owner of the address, which is you.
-- response: Isolate the workload, find how it was entered, and answer the abuse report that AWS is likely to send.
-- false_positives: mail servers (port 25), crawlers, peer-to-peer programs, monitoring of many customers' hosts
-- blind_spots: ports 80 and 443, on which a crawler cannot be told from a scanner; scans slower than an hour
WITH calls AS (
    SELECT
        account_id,
        COALESCE(ecs_service_name, instance_id, interface_id) AS workload,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        date_trunc('hour', start_time) AS hour_start,
        min(interface_id) AS interface_id,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count,
        count_if(action = 'REJECT') AS reject_count
    FROM flow_records
    WHERE action IN ('ACCEPT', 'REJECT')
      AND protocol IN (6, 17)
      AND dstport < 32768
      AND dstport NOT IN (:known_ports)
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND (
          flow_direction = 'egress'
          OR (
              flow_direction IS NULL
              AND regexp_like(
                  srcaddr,
                  '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
              )
          )
      )
      AND NOT regexp_like(
          dstaddr,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])'
              || '|22[4-9]|2[345][0-9])\.|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab]|[Ff][Ff])'
      )
    GROUP BY
        account_id, COALESCE(ecs_service_name, instance_id, interface_id), srcaddr, dstaddr, dstport, protocol,
        date_trunc('hour', start_time)
),
fanouts AS (
    SELECT
        account_id,
        workload,
        srcaddr,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(record_count) AS event_count,
        sum(reject_count) AS failed_count,
        slice(array_sort(array_agg(DISTINCT
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        )), 1, 100) AS flows
    FROM calls
    GROUP BY account_id, workload, srcaddr, dstport, protocol, hour_start
    HAVING count(DISTINCT dstaddr) >= :min_hosts
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    workload AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100) AS evidence
FROM fanouts
GROUP BY account_id, workload
ORDER BY account_id, workload
