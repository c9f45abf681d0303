-- title: Security group opened, then somebody came in
-- kind: aggregate
-- severity: high
-- per: resource
-- attempts: ignore
-- reads: [cloudtrail_events, flow_records]
-- params:
--   within_hours: {type: bigint, default: 24, about: hours between the opened port and the traffic}
--   web_ports: {type: array(bigint), default: [80, 443], about: ports that may be open to everyone}
-- attack: [T1562.007, T1133, T1190]
-- pci: ["1.2.5", "1.3.1", "1.4.2"]
-- why: Somebody opened a port to the whole internet, and soon after a public address was let through to that port. The
--   mistake, or the back door, is being used.
-- response: Revoke the rule at once, isolate the interface in the evidence, and treat the machine as entered until its
--   own log says otherwise. Ask the principal who opened the port.
-- false_positives: a public service on an unusual port that has just been set up; a port that was open before and got a
--   second rule
-- blind_spots: which group an interface has, which flow records do not say; account, region where both sides know it,
--   port and protocol are compared, so another group that was open already may have let the traffic in. Rules for all
--   ports count for ports up to 32767 only, where servers listen. Ports opened by ModifySecurityGroupRules
WITH opened AS (
    SELECT
        principal_arn,
        account_id,
        aws_region,
        COALESCE(json_extract_scalar(request_parameters, '$.groupId'), resource_arn) AS group_id,
        event_time,
        event_id,
        source_ip,
        hand,
        COALESCE(
            TRY_CAST(json_extract(request_parameters, '$.ipPermissions.items') AS ARRAY(JSON)),
            ARRAY[json_extract(request_parameters, '$')]
        ) AS permissions
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name = 'AuthorizeSecurityGroupIngress'
      AND outcome = 'ok'
      AND regexp_like(request_parameters, '"cidrIp(v6)?"\s*:\s*"[^"/]*/[0-3]"')
),
ports AS (
    SELECT
        opened.*,
        COALESCE(json_extract_scalar(permission, '$.ipProtocol'), '-1') AS ip_protocol,
        COALESCE(TRY_CAST(json_extract_scalar(permission, '$.fromPort') AS BIGINT), 0) AS from_port,
        COALESCE(TRY_CAST(json_extract_scalar(permission, '$.toPort') AS BIGINT), 65535) AS to_port
    FROM opened
    CROSS JOIN UNNEST(permissions) AS t(permission)
    WHERE regexp_like(json_format(permission), '"cidrIp(v6)?"\s*:\s*"[^"/]*/[0-3]"')
),
arrivals AS (
    SELECT
        account_id,
        region,
        interface_id,
        srcaddr,
        dstport,
        protocol,
        interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
            || CAST(protocol AS VARCHAR) AS flow,
        min(start_time) AS first_arrival,
        max(COALESCE(end_time, start_time)) AS last_arrival
    FROM flow_records
    WHERE action = 'ACCEPT'
      AND protocol IN (6, 17)
      AND dstport < 32768
      AND dstport NOT IN (:web_ports)
      AND COALESCE(srcport, 1024) >= 1024  -- a lower one is a server answering
      AND COALESCE(packets, 3) > 1  -- one packet is a knock nobody answered
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
    GROUP BY account_id, region, interface_id, srcaddr, dstaddr, dstport, protocol
),
doors AS (
    SELECT
        *,
        min(first_arrival) OVER (PARTITION BY account_id, interface_id, dstport, protocol) AS first_of_all
    FROM arrivals
),
reached AS (
    SELECT ports.*, doors.srcaddr, doors.flow, doors.last_arrival
    FROM ports
    JOIN doors
        ON doors.account_id = ports.account_id
        AND COALESCE(doors.region, ports.aws_region, '') = COALESCE(ports.aws_region, doors.region, '')
        AND doors.dstport BETWEEN ports.from_port AND ports.to_port
        AND (
            ports.ip_protocol = '-1'
            OR ports.ip_protocol IN ('tcp', '6') AND doors.protocol = 6
            OR ports.ip_protocol IN ('udp', '17') AND doors.protocol = 17
        )
        -- a door through which somebody came before was open already; a flow record begins up to ten minutes early
        AND doors.first_of_all >= date_add('minute', -15, ports.event_time)
        AND doors.first_arrival < date_add('hour', :within_hours, ports.event_time)
)
SELECT
    principal_arn,
    account_id,
    group_id AS resource,
    min(event_time) AS first_seen,
    max(last_arrival) AS last_seen,
    count(DISTINCT event_id) AS event_count,
    0 AS failed_count,
    'ok' AS outcome,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    flatten(ARRAY[
        array_sort(array_agg(DISTINCT event_id)),
        slice(array_sort(array_agg(DISTINCT flow)), 1, 100)
    ]) AS evidence
FROM reached
GROUP BY principal_arn, account_id, group_id
ORDER BY principal_arn, account_id, group_id
