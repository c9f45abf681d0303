-- title: Refused for long, then let through
-- kind: aggregate
-- severity: medium
-- per: resource
-- addresses: lower
-- reads: [flow_records]
-- params:
--   min_rejects: {type: bigint, default: 5, about: refused records of one source at one door before it was let in}
-- attack: [T1562.007, T1190]
-- pci: ["1.2.5", "1.3.1", "11.5.1"]
-- why: The same public address was refused at the same port again and again, and then let in. Somebody opened that door
--   in between, or the one who knocked found a way to.
-- response: Look in CloudTrail for the change of the security group or network ACL just before the first accepted
--   record, and ask who made it and for whom (network.security_group_open, network.network_acl_open).
-- false_positives: a partner or office whose access was being set up
-- blind_spots: a door that opens for another address than the one refused; whether the machine answered
WITH doors AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        max(CASE WHEN action = 'REJECT' THEN start_time END) AS last_reject,
        min(CASE WHEN action = 'ACCEPT' THEN start_time END) AS first_accept,
        count(*) AS record_count,
        count_if(action = 'REJECT') AS reject_count
    FROM flow_records
    WHERE action IN ('ACCEPT', 'REJECT')
      AND dstport < 32768
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND COALESCE(flow_direction, 'ingress') = 'ingress'
      AND NOT regexp_like(
          srcaddr,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
    GROUP BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol
    HAVING count_if(action = 'REJECT') >= :min_rejects
        -- a late packet of a connection that had ended is refused as well, but after it was accepted
        AND max(CASE WHEN action = 'REJECT' THEN start_time END) < min(CASE WHEN action = 'ACCEPT' THEN start_time END)
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    interface_id AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    sum(reject_count) AS failed_count,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(array_sort(array_agg(DISTINCT flow)), 1, 100) AS evidence
FROM doors
GROUP BY account_id, interface_id
ORDER BY account_id, interface_id
