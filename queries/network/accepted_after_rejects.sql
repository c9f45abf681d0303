-- title: Let in after it was refused
-- about: >-
--   One row per source and port that was refused first and let through afterwards, never before, with the event in
--   between, if the logs have one: because is change, when somebody opened what the interface stands behind, or that
--   very port in the account; or call, when the same address called AWS meanwhile. Without one it is a fact of the
--   network alone. confidence is of the event in between; flow and event_id are the proofs.
-- runs: here
-- reads: [cloudtrail_events, flow_records]
-- params:
--   min_rejects: {type: bigint, default: 2, about: refused records before the first that was let through}
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH knocks AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        min(workload) AS workload,
        count(*) AS reject_count,
        min(start_time) AS first_reject,
        max(end_time) AS last_reject,
        min(flow) AS flow
    FROM refused_flows
    WHERE dstport < 32768  -- a higher one is of an answer
    GROUP BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol
    HAVING count(*) >= :min_rejects
),
doors AS (
    SELECT
        knocks.account_id,
        knocks.interface_id,
        knocks.srcaddr,
        knocks.dstaddr,
        knocks.dstport,
        knocks.protocol,
        workload,
        reject_count,
        first_reject,
        last_reject,
        flow,
        count(*) AS accept_count,
        min(start_time) AS first_accept
    FROM flow_records
    JOIN knocks
        ON knocks.interface_id = flow_records.interface_id
        AND knocks.srcaddr = flow_records.srcaddr
        AND knocks.dstaddr = flow_records.dstaddr
        AND knocks.dstport = flow_records.dstport
        AND knocks.protocol = flow_records.protocol
        AND knocks.account_id = flow_records.account_id
    WHERE action = 'ACCEPT'
    GROUP BY
        knocks.account_id, knocks.interface_id, knocks.srcaddr, knocks.dstaddr, knocks.dstport, knocks.protocol,
        workload, reject_count, first_reject, last_reject, flow
    -- the times of records are up to a minute off
    HAVING min(start_time) > first_reject AND min(start_time) >= date_add('minute', -1, last_reject)
),
between_them AS (
    SELECT
        doors.*,
        'change' AS because,
        'high' AS confidence,
        principal_arn,
        session_name,
        event_names,
        first_event,
        event_id
    FROM doors
    JOIN changed_interfaces ON changed_interfaces.interface_id = doors.interface_id
    WHERE can_open
      AND first_event >= first_reject
      AND first_event <= first_accept
      AND dstport >= COALESCE(from_port, 0)
      AND dstport <= COALESCE(to_port, 65535)
    UNION ALL
    SELECT
        doors.*,
        'change' AS because,
        'medium' AS confidence,
        principal_arn,
        session_name,
        event_names,
        first_event,
        event_id
    FROM doors
    JOIN changed_interfaces
        ON changed_interfaces.account_id = doors.account_id AND changed_interfaces.from_port = doors.dstport
    WHERE changed_interfaces.interface_id IS NULL
      AND can_open
      AND first_event >= first_reject
      AND first_event <= first_accept
    UNION ALL
    SELECT
        doors.*,
        'call' AS because,
        'low' AS confidence,
        principal_arn,
        session_name,
        event_name AS event_names,
        event_time AS first_event,
        event_id
    FROM doors
    JOIN cloudtrail_events ON cloudtrail_events.source_ip = doors.srcaddr
    WHERE event_time >= first_reject AND event_time <= first_accept
),
nearest AS (
    SELECT
        between_them.*,
        row_number() OVER (
            PARTITION BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol
            -- a change before a call, high before medium
            ORDER BY CASE because WHEN 'change' THEN 0 ELSE 1 END, confidence, first_event DESC, event_id
        ) AS place
    FROM between_them
)
SELECT
    doors.account_id,
    doors.interface_id,
    doors.workload,
    doors.srcaddr,
    doors.dstaddr,
    doors.dstport,
    doors.protocol,
    doors.reject_count,
    doors.first_reject,
    doors.last_reject,
    doors.first_accept,
    doors.accept_count,
    because,
    confidence,
    principal_arn,
    session_name,
    event_names,
    first_event,
    event_id,
    doors.flow
FROM doors
LEFT JOIN nearest
    ON nearest.place = 1
    AND nearest.interface_id = doors.interface_id
    AND nearest.srcaddr = doors.srcaddr
    AND nearest.dstaddr = doors.dstaddr
    AND nearest.dstport = doors.dstport
    AND nearest.protocol = doors.protocol
    AND nearest.account_id = doors.account_id
ORDER BY
    doors.first_accept, doors.account_id, doors.interface_id, doors.srcaddr, doors.dstaddr, doors.dstport,
    doors.protocol
LIMIT :limit
