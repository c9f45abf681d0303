-- title: SSH or Remote Desktop reached from the internet
-- kind: aggregate
-- severity: high
-- per: resource
-- addresses: lower
-- reads: [flow_records]
-- params:
--   ports: {type: array(bigint), default: [22, 3389, 5985, 5986], about: ports through which machines are administered}
-- attack: [T1133, T1021.004, T1021.001]
-- pci: ["1.3.1", "1.4.2", "2.2.4"]
-- why: The network let connections from public addresses through to an administration port. Such ports are tried with
--   guessed and stolen passwords within minutes of being open.
-- response: Close the rule in the interface's security group, use Session Manager instead, and look at the host's own
--   sign-in log for the addresses shown.
-- false_positives: administrators working from an office or home address that is allowed on purpose; name it in an
--   allowlist
-- blind_spots: whether a sign-in succeeded, which only the host knows; other ports; IPv6 when the flow log lacks
--   flow-direction
WITH tries AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        count(*) AS record_count
    FROM flow_records
    WHERE dstport IN (:ports)
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND action = 'ACCEPT'
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
    GROUP BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    interface_id AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    0 AS failed_count,
    slice(array_sort(array_agg(DISTINCT srcaddr)), 1, 100) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM tries
GROUP BY account_id, interface_id
ORDER BY account_id, interface_id
