-- title: Why traffic was rejected, as far as flow records tell
-- about: One row for each interface, peer, port and cause. Security groups remember connections and network ACLs do
--   not, so a request that was accepted and whose answer was refused met a network ACL. A packet of a connection that
--   was accepted shortly before came after its end, or after its rule was taken away (after_close). BPA and EC are
--   written in the record. Of all else the record never says whether a security group or a network ACL refused it.
-- reads: [flow_records]
-- params:
--   within_minutes: {type: bigint, default: 15, about: minutes between the accepted record and the rejected one}
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH refused AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        srcport,
        dstaddr,
        dstport,
        protocol,
        reject_reason,
        flow_direction,
        bool_or(mod(tcp_flags / 2, 2) = 1) AS has_syn,
        count(*) AS reject_count,
        min(start_time) AS first_seen,
        max(COALESCE(end_time, start_time)) AS last_seen
    FROM flow_records
    WHERE action = 'REJECT'
    GROUP BY
        account_id, interface_id, srcaddr, srcport, dstaddr, dstport, protocol, reject_reason, flow_direction
),
-- What was accepted with the same ends, either way round: few of all accepted records.
pairs AS (
    SELECT
        refused.interface_id,
        refused.srcaddr,
        refused.srcport,
        refused.dstaddr,
        refused.dstport,
        refused.protocol,
        'request' AS accepted_side,
        min(accepted.start_time) AS accepted_at
    FROM refused
    JOIN flow_records AS accepted
        ON accepted.interface_id = refused.interface_id
        AND accepted.srcaddr = refused.dstaddr
        AND accepted.srcport = refused.dstport
        AND accepted.dstaddr = refused.srcaddr
        AND accepted.dstport = refused.srcport
        AND accepted.protocol = refused.protocol
    WHERE accepted.action = 'ACCEPT'
      AND accepted.start_time >= date_add('minute', -:within_minutes, refused.first_seen)
      AND accepted.start_time <= refused.last_seen
      AND refused.dstport > refused.srcport  -- towards the client's port: an answer
    GROUP BY
        refused.interface_id, refused.srcaddr, refused.srcport, refused.dstaddr, refused.dstport, refused.protocol
    UNION ALL
    SELECT
        refused.interface_id,
        refused.srcaddr,
        refused.srcport,
        refused.dstaddr,
        refused.dstport,
        refused.protocol,
        'before' AS accepted_side,
        min(accepted.start_time) AS accepted_at
    FROM refused
    JOIN flow_records AS accepted
        ON accepted.interface_id = refused.interface_id
        AND accepted.srcaddr = refused.srcaddr
        AND accepted.srcport = refused.srcport
        AND accepted.dstaddr = refused.dstaddr
        AND accepted.dstport = refused.dstport
        AND accepted.protocol = refused.protocol
    WHERE accepted.action = 'ACCEPT'
      AND refused.protocol = 6
      AND accepted.start_time >= date_add('minute', -:within_minutes, refused.first_seen)
      AND accepted.start_time <= refused.first_seen
    GROUP BY
        refused.interface_id, refused.srcaddr, refused.srcport, refused.dstaddr, refused.dstport, refused.protocol
),
sides AS (
    SELECT
        interface_id AS pair_interface,
        srcaddr AS pair_srcaddr,
        srcport AS pair_srcport,
        dstaddr AS pair_dstaddr,
        dstport AS pair_dstport,
        protocol AS pair_protocol,
        min(CASE WHEN accepted_side = 'before' THEN accepted_at END) AS accepted_before,
        min(CASE WHEN accepted_side = 'request' THEN accepted_at END) AS accepted_request
    FROM pairs
    GROUP BY interface_id, srcaddr, srcport, dstaddr, dstport, protocol
),
matched AS (
    SELECT
        refused.*,
        -- with SYN it opens a connection, and is no late packet of the one that had the same ports
        CASE WHEN NOT COALESCE(has_syn, FALSE) THEN accepted_before END AS accepted_before,
        accepted_request
    FROM refused
    LEFT JOIN sides
        ON pair_interface = interface_id
        AND pair_srcaddr = srcaddr
        AND pair_srcport = srcport
        AND pair_dstaddr = dstaddr
        AND pair_dstport = dstport
        AND pair_protocol = protocol
),
judged AS (
    SELECT
        matched.*,
        CASE
            WHEN reject_reason = 'BPA' THEN 'block_public_access'
            WHEN reject_reason = 'EC' THEN 'encryption_control'
            WHEN accepted_before IS NOT NULL THEN 'after_close'
            WHEN accepted_request IS NOT NULL THEN 'network_acl'
            ELSE 'security_group_or_network_acl'
        END AS cause,
        COALESCE(accepted_before, accepted_request) AS accepted_at,
        -- of an answer, the port that was asked
        CASE WHEN accepted_request IS NOT NULL AND accepted_before IS NULL THEN srcport ELSE dstport END AS port
    FROM matched
)
SELECT
    cause,
    CASE cause
        WHEN 'block_public_access' THEN 'the record says BPA: VPC Block Public Access refused it'
        WHEN 'encryption_control' THEN 'the record says EC: the encryption control of the VPC refused it'
        WHEN 'after_close'
            THEN 'packets of the same connection were accepted shortly before: it had ended, or its rule was taken away'
        WHEN 'network_acl' THEN 'the request was accepted and its answer refused, which a security group does not do'
        ELSE 'a security group or a network ACL; the record does not tell which'
    END AS because,
    account_id,
    interface_id,
    flow_direction,
    srcaddr,
    dstaddr,
    port,
    protocol,
    sum(reject_count) AS reject_count,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    min(accepted_at) AS accepted_at,
    min(
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR)
    ) AS flow
FROM judged
GROUP BY cause, account_id, interface_id, flow_direction, srcaddr, dstaddr, port, protocol
ORDER BY reject_count DESC, cause, account_id, interface_id, flow_direction, srcaddr, dstaddr, port, protocol
LIMIT :limit
