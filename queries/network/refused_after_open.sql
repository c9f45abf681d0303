-- title: Refused at a door that was open before
-- about: One row for each source, interface and port where traffic was accepted first and then refused again and
--   again. It says when it was accepted last before, and first after; still_refused, when it was not accepted again.
--   What closed the door, network/rejects_and_events may know.
-- reads: [flow_records]
-- params:
--   min_rejects: {type: bigint, default: 5, about: rejected records after the door was open; late packets are few}
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH refused AS (
    SELECT
        account_id,
        interface_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        min(start_time) AS first_reject,
        max(start_time) AS last_reject,
        count(*) AS reject_count
    FROM flow_records
    WHERE action = 'REJECT'
      AND dstport < 32768
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
    GROUP BY account_id, interface_id, srcaddr, dstaddr, dstport, protocol
    HAVING count(*) >= :min_rejects
),
doors AS (
    SELECT
        refused.account_id,
        refused.interface_id,
        refused.srcaddr,
        refused.dstaddr,
        refused.dstport,
        refused.protocol,
        first_reject,
        last_reject,
        reject_count,
        max(flow_records.ecs_service_name) AS ecs_service_name,
        max(flow_records.ecs_task_id) AS ecs_task_id,
        max(flow_records.instance_id) AS instance_id,
        count_if(start_time < first_reject) AS accepts_before,
        max(CASE WHEN start_time < first_reject THEN start_time END) AS last_accept,
        min(CASE WHEN start_time > last_reject THEN start_time END) AS next_accept
    FROM refused
    JOIN flow_records
        ON flow_records.interface_id = refused.interface_id
        AND flow_records.srcaddr = refused.srcaddr
        AND flow_records.dstaddr = refused.dstaddr
        AND flow_records.dstport = refused.dstport
        AND flow_records.protocol = refused.protocol
    WHERE flow_records.action = 'ACCEPT'
    GROUP BY
        refused.account_id, refused.interface_id, refused.srcaddr, refused.dstaddr, refused.dstport, refused.protocol,
        first_reject, last_reject, reject_count
)
SELECT
    account_id,
    interface_id,
    ecs_service_name,
    ecs_task_id,
    instance_id,
    srcaddr,
    dstaddr,
    dstport,
    protocol,
    accepts_before,
    last_accept,
    first_reject,
    last_reject,
    reject_count,
    next_accept,
    next_accept IS NULL AS still_refused,
    interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
        || CAST(protocol AS VARCHAR) AS flow
FROM doors
WHERE last_accept IS NOT NULL
ORDER BY reject_count DESC, account_id, interface_id, srcaddr, dstaddr, dstport, protocol
LIMIT :limit
