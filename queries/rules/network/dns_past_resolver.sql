-- title: Names looked up at a public server
-- kind: aggregate
-- severity: low
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   min_records: {type: bigint, default: 10, about: records of one workload in the window}
-- attack: [T1071.004, T1048.003]
-- pci: ["1.3.2", "1.4.4", "11.5.1"]
-- why: A workload asks name servers on the internet instead of the VPC's own, so the DNS query log and the DNS firewall
--   do not see it. Malware hides its servers, and even stolen data, in such questions.
-- response: Point the workload to the VPC's resolver and allow port 53 out to nobody else. If its settings do not name
--   the server it asked, treat the workload as compromised.
-- false_positives: a name server of your own that asks the root servers; images with a public resolver written into
--   them; mail filters
-- blind_spots: names looked up over HTTPS, on port 443; names asked of the VPC's resolver, which are in no flow record
WITH asked AS (
    SELECT
        account_id,
        COALESCE(ecs_service_name, instance_id, interface_id) AS workload,
        srcaddr,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count,
        count_if(action = 'REJECT') AS reject_count
    FROM flow_records
    WHERE dstport IN (53, 853)
      AND protocol IN (6, 17)
      AND action IN ('ACCEPT', 'REJECT')
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
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    workload AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    sum(reject_count) AS failed_count,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM asked
GROUP BY account_id, workload
HAVING sum(record_count) >= :min_records
ORDER BY account_id, workload
