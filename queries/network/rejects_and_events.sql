-- title: Rejected traffic and the events it belongs to
-- about: >-
--   Each row joins what one principal did with what the network refused, and says what both have in common. kind is
--   address, the public address of the caller; task or interface, named in the events or told by the session;
--   endpoint, the private address of a caller behind a VPC endpoint, which an interface had at that time; or change,
--   of what the network lets through. event_id and flow are one proof of each side. gap_s are the seconds between the
--   two, 0 where they overlap, for addresses are used again after a while: confidence goes by it. A change is judged
--   by what the interfaces concerned were refused within :within_minutes after it and not as long before it, or the
--   other way round. effect is closed where the port was let through before, opened where it is let through
--   afterwards, refused where rejects began and nothing tells of the time before, ended where they ceased and nothing
--   follows. Which interfaces have a security group, or lie in a VPC, is known as far as the logs tell; a change of
--   which none is known is judged by its one port and client, and has no row where it has several ports.
-- runs: here
-- reads: [cloudtrail_events, flow_records]
-- params:
--   within_minutes: {type: bigint, default: 15, about: minutes before and after a change that are compared}
WITH watches AS (
    SELECT
        changed_interfaces.*,
        COALESCE(interface_id, account_id) AS place,
        CASE WHEN interface_id IS NULL THEN from_port ELSE -1 END AS place_port,
        -- a change and a flow record near it lie in one slice of time, or in two that touch
        date_diff('minute', TIMESTAMP '1970-01-01 00:00:00', first_event) / NULLIF(:within_minutes, 0) + step AS slice
    FROM changed_interfaces
    CROSS JOIN UNNEST(ARRAY[-1, 0, 1]) AS s(step)
),
flows AS (
    SELECT
        flow_sides.*,
        by_port,
        CASE WHEN by_port THEN account_id ELSE interface_id END AS place,
        CASE WHEN by_port THEN port ELSE -1 END AS place_port,
        date_diff('minute', TIMESTAMP '1970-01-01 00:00:00', start_time) / NULLIF(:within_minutes, 0) AS slice
    FROM flow_sides
    CROSS JOIN UNNEST(ARRAY[FALSE, TRUE]) AS b(by_port)
),
near AS (
    SELECT
        flows.*,
        watches.event_id,
        watches.account_id AS changed_in,
        first_event,
        last_event,
        can_close,
        can_open,
        is_exact
    FROM flows
    JOIN watches
        ON watches.place = flows.place AND watches.place_port = flows.place_port AND watches.slice = flows.slice
    WHERE start_time >= date_add('minute', -:within_minutes, first_event)
      AND start_time < date_add('minute', :within_minutes, last_event)
      AND port >= COALESCE(from_port, 0)
      AND port <= COALESCE(to_port, 65535)
      AND COALESCE(region, aws_region, '') = COALESCE(aws_region, region, '')
),
pairs AS (
    SELECT
        event_id,
        changed_in AS account_id,
        can_close,
        can_open,
        is_exact,
        interface_id,
        client,
        server,
        port,
        protocol,
        -- strangers knock all the time, so only what was let through itself counts for a public address
        by_port OR NOT regexp_like(
            client,
            '^(10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                || '|^([Ff][CcDd]|[Ff][Ee][89ABab])'
        ) AS is_alone,
        max(ecs_task_id) AS task_id,
        count_if(action = 'REJECT' AND start_time < first_event) AS rejects_before,
        count_if(action = 'REJECT' AND start_time >= first_event) AS rejects_after,
        -- the start in a record is up to a minute late, and a change takes some seconds
        count_if(action = 'REJECT' AND start_time >= date_add('minute', 1, last_event)) AS rejects_settled,
        count_if(action = 'ACCEPT' AND start_time < first_event) AS accepts_before,
        count_if(action = 'ACCEPT' AND start_time >= first_event) AS accepts_after,
        count_if(action = 'ACCEPT' AND start_time >= date_add('minute', 1, last_event)) AS accepts_settled,
        min(CASE WHEN action = 'REJECT' THEN start_time END) AS first_reject,
        max(CASE WHEN action = 'REJECT' THEN end_time END) AS last_reject,
        min(flow) AS flow
    FROM near
    GROUP BY
        event_id, changed_in, can_close, can_open, is_exact, by_port, interface_id, client, server, port, protocol
),
doors AS (
    SELECT
        pairs.*,
        sum(rejects_before) OVER door AS all_rejects_before,
        sum(rejects_settled) OVER door AS all_rejects_settled,
        sum(accepts_before) OVER door AS all_accepts_before,
        sum(accepts_after) OVER door AS all_accepts_after
    FROM pairs
    WINDOW door AS (
        PARTITION BY event_id, account_id, server, port, protocol, is_alone, CASE WHEN is_alone THEN client END
    )
),
turned AS (
    SELECT
        doors.*,
        CASE
            WHEN can_close
                AND all_rejects_before = 0
                AND rejects_after > 0
                AND accepts_settled <= rejects_after  -- else it was a late packet of a connection that had ended
            THEN CASE WHEN all_accepts_before > 0 THEN 'closed' WHEN NOT is_alone THEN 'refused' END
            WHEN can_open
                AND rejects_before > 0
                AND all_rejects_settled = 0
            THEN CASE
                WHEN all_accepts_after > 0 THEN 'opened'
                WHEN NOT is_alone AND all_rejects_before >= 3 THEN 'ended'
            END
        END AS effect
    FROM doors
),
effects AS (
    SELECT
        event_id,
        account_id,
        effect,
        bool_and(is_exact) AS is_exact,
        sum(rejects_before + rejects_after) AS reject_count,
        CASE effect
            WHEN 'closed' THEN CASE WHEN is_alone THEN sum(accepts_before) ELSE max(all_accepts_before) END
            WHEN 'opened' THEN CASE WHEN is_alone THEN sum(accepts_after) ELSE max(all_accepts_after) END
            ELSE 0
        END AS accept_count,
        count(DISTINCT COALESCE(turned.task_id, interface_holders.task_id)) AS task_count,
        count(DISTINCT turned.interface_id) AS interface_count,
        array_join(slice(array_sort(array_agg(DISTINCT workload)), 1, 10), ', ') AS workloads,
        array_join(slice(array_sort(array_agg(DISTINCT turned.interface_id)), 1, 10), ', ') AS interface_ids,
        array_join(slice(array_sort(array_agg(DISTINCT client)), 1, 10), ', ') AS srcaddrs,
        array_join(slice(array_sort(array_agg(DISTINCT server)), 1, 10), ', ') AS dstaddrs,
        array_join(slice(array_sort(array_agg(DISTINCT port)), 1, 10), ', ') AS dstports,
        min(first_reject) AS first_reject,
        max(last_reject) AS last_reject,
        min(flow) AS flow
    FROM turned
    LEFT JOIN interface_holders ON interface_holders.interface_id = turned.interface_id
    WHERE effect IS NOT NULL
    GROUP BY
        event_id,
        account_id,
        effect,
        is_alone,
        -- a scan that happens to begin then tries many doors, and is one thing
        CASE WHEN effect IN ('closed', 'opened') THEN server END,
        CASE WHEN effect IN ('closed', 'opened') THEN port END,
        CASE WHEN effect IN ('closed', 'opened') THEN protocol END
),
links AS (
    SELECT
        kind,
        CAST(NULL AS VARCHAR) AS effect,
        CAST(NULL AS VARCHAR) AS changed,
        is_certain,
        shared,
        principal_arn,
        session_name,
        account_id,
        event_count,
        denied_count,
        event_names,
        first_event,
        last_event,
        event_id,
        workloads,
        task_count,
        interface_count,
        interface_ids,
        CAST(NULL AS VARCHAR) AS srcaddrs,  -- scans have thousands
        dstaddrs,
        dstports,
        reject_count,
        CAST(NULL AS BIGINT) AS accept_count,
        first_reject,
        last_reject,
        flow
    FROM rejects_by_trace
    UNION ALL
    SELECT
        'change' AS kind,
        effect,
        changed,
        is_exact AS is_certain,
        thing AS shared,
        principal_arn,
        session_name,
        network_changes.account_id,
        event_count,
        0 AS denied_count,
        event_names,
        first_event,
        last_event,
        network_changes.event_id,
        workloads,
        task_count,
        interface_count,
        interface_ids,
        srcaddrs,
        dstaddrs,
        dstports,
        reject_count,
        accept_count,
        first_reject,
        last_reject,
        flow
    FROM effects
    JOIN network_changes
        ON network_changes.event_id = effects.event_id AND network_changes.account_id = effects.account_id
),
placed AS (
    SELECT
        links.*,
        CASE
            WHEN first_reject > last_event THEN date_diff('second', last_event, first_reject)
            WHEN last_reject < first_event THEN date_diff('second', last_reject, first_event)
            ELSE 0
        END AS gap_s
    FROM links
)
SELECT
    kind,
    effect,
    changed,
    CASE
        WHEN effect = 'ended' OR effect = 'refused' AND NOT is_certain THEN 'low'
        WHEN effect = 'refused' OR NOT is_certain THEN 'medium'
        WHEN kind IN ('address', 'endpoint') AND gap_s > 86400 THEN 'medium'
        ELSE 'high'
    END AS confidence,
    shared,
    principal_arn,
    session_name,
    account_id,
    event_count,
    denied_count,
    event_names,
    first_event,
    last_event,
    event_id,
    workloads,
    task_count,
    interface_count,
    interface_ids,
    srcaddrs,
    dstaddrs,
    dstports,
    reject_count,
    accept_count,
    first_reject,
    last_reject,
    gap_s,
    flow
FROM placed
ORDER BY
    kind, reject_count DESC, shared, principal_arn, account_id, first_event, event_id, effect, dstaddrs, dstports,
    interface_ids, flow
