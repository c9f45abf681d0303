-- title: One machine went to many others over one port
-- kind: aggregate
-- severity: medium
-- per: resource
-- attempts: same
-- reads: [flow_records]
-- params:
--   ports:
--     type: array(bigint)
--     default: [22, 23, 135, 139, 445, 2375, 3389, 5900, 5985, 5986, 10250]
--     about: ports by which one machine commands another
--   min_hosts: {type: bigint, default: 20, about: distinct hosts reached or tried over one port in one hour}
-- attack: [T1021, T1210, T1046]
-- pci: ["11.5.1", "1.2.5"]
-- why: One machine inside opened connections to many others by a port that gives commands, such as SSH, SMB or Remote
--   Desktop. So do administrators' tools, and so do ransomware and an intruder with a stolen key.
-- response: Ask who runs that machine. If it is no bastion, scanner or deployment host, isolate it and look at the
--   sign-in logs of the machines it reached, which the evidence names.
-- false_positives: bastions, Ansible and backup hosts, Kubernetes control planes; name them in an allowlist
-- blind_spots: sweeps slower than an hour; whether a sign-in succeeded, which only the hosts know
WITH visits AS (
    SELECT
        account_id,
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
    WHERE dstport IN (:ports)
      AND action IN ('ACCEPT', 'REJECT')
      AND protocol = 6
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND regexp_like(
          srcaddr,
          '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
      )
      AND regexp_like(
          dstaddr,
          '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
      )
    GROUP BY account_id, srcaddr, dstaddr, dstport, protocol, date_trunc('hour', start_time)
),
sweeps AS (
    SELECT
        account_id,
        srcaddr,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(record_count) AS event_count,
        sum(reject_count) AS failed_count,
        array_agg(DISTINCT
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        ) AS flows
    FROM visits
    GROUP BY account_id, srcaddr, dstport, hour_start
    HAVING count(DISTINCT dstaddr) >= :min_hosts
        AND sum(record_count) > sum(reject_count)  -- all refused is a scan, and another rule's
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    srcaddr AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    ARRAY[srcaddr] AS source_ips,
    slice(array_sort(array_distinct(flatten(array_agg(flows)))), 1, 100) AS evidence
FROM sweeps
GROUP BY account_id, srcaddr
ORDER BY account_id, srcaddr
