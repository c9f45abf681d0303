-- title: Flow records by who asked whom
-- about: >-
--   Each record of traffic, let through or refused, with the side that asked, the side that was asked and its port,
--   whichever of both sent the packets; flow is a rejected record in words.
SELECT
    account_id,
    region,
    interface_id,
    ecs_task_id,
    protocol,
    action,
    start_time,
    COALESCE(end_time, start_time) AS end_time,
    -- an answer goes from the port of a service to one that nobody listens at
    CASE WHEN srcport < 32768 AND dstport >= 32768 THEN dstaddr ELSE srcaddr END AS client,
    CASE WHEN srcport < 32768 AND dstport >= 32768 THEN srcaddr ELSE dstaddr END AS server,
    CAST(CASE WHEN srcport < 32768 AND dstport >= 32768 THEN srcport ELSE dstport END AS BIGINT) AS port,
    CASE
        WHEN action = 'REJECT'
        THEN interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR)
    END AS flow
FROM flow_records
WHERE action IN ('ACCEPT', 'REJECT')
