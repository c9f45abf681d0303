-- title: Traffic held back by a guard of the whole VPC
-- kind: aggregate
-- severity: low
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- attack: [T1190, T1048]
-- pci: ["1.3.1", "1.3.2", "1.4.2"]
-- why: Security groups and network ACLs let this traffic pass; only Block Public Access, or the demand for encryption,
--   stopped it. If that guard is lifted, for one VPC or by mistake, it goes through.
-- response: Close the security group, ACL or route that would let it pass, so that it does not hang on one setting. If
--   the traffic is wanted, make an exclusion for that subnet only.
-- false_positives: a guard just switched on, which finds out what relied on the internet
-- blind_spots: flow logs without the field reject-reason, which is of version 8
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    interface_id AS resource,
    min(start_time) AS first_seen,
    max(end_time) AS last_seen,
    count(*) AS event_count,
    count(*) AS failed_count,
    'denied' AS outcome,
    slice(array_sort(array_agg(DISTINCT srcaddr)), 1, 100) AS source_ips,
    slice(
        array_sort(array_agg(DISTINCT
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR) || ' ' || reject_reason
        )),
        1,
        100
    ) AS evidence
FROM flow_records
WHERE action = 'REJECT'
  AND reject_reason IN ('BPA', 'EC')
GROUP BY account_id, interface_id
ORDER BY account_id, interface_id
