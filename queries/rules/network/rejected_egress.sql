-- title: Workload refused on its way to the internet
-- kind: aggregate
-- severity: medium
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_records: {type: bigint, default: 5, about: rejected records of one workload}
-- attack: [T1071, T1048]
-- pci: ["1.3.2", "1.4.4", "10.2.1.4"]
-- why: A workload tried to reach public addresses that the network does not allow it. Either something it needs is not
--   allowed yet, or something in it tries to call out that should not be there.
-- response: See where it wanted to go (network/rejects_by_interface). If its owner does not know the address, treat the
--   workload as compromised, and check what its role did.
-- false_positives: software looking for updates or sending usage statistics; a forgotten dependency after rules were
--   tightened
-- blind_spots: what was allowed out; DNS through the VPC's own resolver; IPv6 when the flow log lacks flow-direction
WITH refused AS (
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
    WHERE action = 'REJECT'
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
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- answers to clients, stopped by a network ACL
    GROUP BY account_id, interface_id, instance_id, ecs_service_name, srcaddr, dstaddr, dstport, protocol
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    workload AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    sum(record_count) AS failed_count,
    'denied' AS outcome,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM refused
GROUP BY account_id, workload
HAVING sum(record_count) >= :min_records
ORDER BY account_id, workload
