-- title: Workload talks to the internet on a port of malware
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [flow_records]
-- params:
--   ports:
--     type: array(bigint)
--     default: [1337, 3333, 4444, 5555, 6666, 6667, 6697, 7777, 9001, 9050, 14433, 14444, 31337, 45560, 45700]
--     about: ports of mining pools, IRC, Tor and the listeners that attack tools offer
--   min_records: {type: bigint, default: 3, about: accepted records of one workload to one address and port}
-- attack: [T1571, T1496, T1090.003]
-- pci: ["1.3.2", "1.4.4", "11.5.1"]
-- why: A workload talks to a public address on a port that mining pools, chat-controlled bots, Tor or attack tools use,
--   and ordinary services do not. The network lets it.
-- response: Find out what listens at that address, and isolate the workload if its owner does not know. Allow only
--   known destinations out.
-- false_positives: a partner's service on such a port; peer-to-peer programs of your own
-- blind_spots: the same tools on port 443, which is the usual case with care; what was refused
--   (network.rejected_egress)
WITH talks AS (
    SELECT
        account_id,
        COALESCE(ecs_service_name, instance_id, interface_id) AS workload,
        srcaddr,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count
    FROM flow_records
    WHERE dstport IN (:ports)
      AND action = 'ACCEPT'
      AND protocol = 6
      AND COALESCE(srcport, 32768) >= 10000  -- a lower one is more likely a server that answers a client
      AND COALESCE(packets, 2) > 1  -- one packet is a call that nobody took
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
    GROUP BY account_id, interface_id, instance_id, ecs_service_name, srcaddr, dstaddr, dstport, protocol
    HAVING count(*) >= :min_records
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    workload AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM talks
GROUP BY account_id, workload
ORDER BY account_id, workload
