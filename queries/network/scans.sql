-- title: Who scans
-- about: One row for each source that was refused at many ports, at many hosts, or at many doors over many hours, a
--   few at a time (slow). Doors are hosts and ports counted together. Of a source that is one of our own interfaces
--   the workload behind it at that time is told; of several that had the address meanwhile (holder_count), the last.
-- reads: [cloudtrail_events, flow_records]
-- params:
--   min_ports: {type: bigint, default: 10, about: distinct ports refused to one source in one hour}
--   min_hosts: {type: bigint, default: 10, about: or distinct hosts refused to it in one hour}
--   min_doors: {type: bigint, default: 30, about: "or distinct doors, however slowly"}
--   min_hours: {type: bigint, default: 4, about: hours of the slow ones in which it was refused}
--   limit: {type: bigint, default: 1000, about: most rows to return}
WITH knocks AS (
    SELECT
        account_id,
        srcaddr,
        dstaddr,
        dstport,
        protocol,
        interface_id,
        date_trunc('hour', start_time) AS hour_start,
        count(*) AS reject_count,
        min(start_time) AS first_seen,
        max(COALESCE(end_time, start_time)) AS last_seen
    FROM flow_records
    WHERE action = 'REJECT'
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- answers to clients, stopped by a network ACL
    GROUP BY account_id, srcaddr, dstaddr, dstport, protocol, interface_id, date_trunc('hour', start_time)
),
by_hour AS (
    SELECT
        account_id,
        srcaddr,
        hour_start,
        count(DISTINCT dstport) AS ports,
        count(DISTINCT dstaddr) AS hosts
    FROM knocks
    GROUP BY account_id, srcaddr, hour_start
),
busiest AS (
    SELECT
        account_id AS busy_account,
        srcaddr AS busy_source,
        max(ports) AS most_ports_an_hour,
        max(hosts) AS most_hosts_an_hour
    FROM by_hour
    GROUP BY account_id, srcaddr
),
sources AS (
    SELECT
        account_id,
        srcaddr,
        count(DISTINCT dstport) AS port_count,
        count(DISTINCT dstaddr) AS host_count,
        count(DISTINCT dstaddr || ' ' || CAST(dstport AS VARCHAR)) AS door_count,
        count(DISTINCT interface_id) AS interface_count,
        count(DISTINCT hour_start) AS hours_active,
        sum(reject_count) AS reject_count,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        min(
            interface_id || ' ' || srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/'
                || CAST(protocol AS VARCHAR)
        ) AS flow
    FROM knocks
    GROUP BY account_id, srcaddr
),
scanning AS (
    SELECT
        *,
        CASE
            WHEN most_ports_an_hour >= :min_ports AND most_hosts_an_hour >= :min_hosts THEN 'ports and hosts'
            WHEN most_ports_an_hour >= :min_ports THEN 'ports'
            WHEN most_hosts_an_hour >= :min_hosts THEN 'hosts'
            WHEN door_count >= :min_doors AND hours_active >= :min_hours THEN 'slow'
        END AS kind
    FROM sources
    JOIN busiest ON COALESCE(busy_account, '') = COALESCE(account_id, '') AND busy_source = srcaddr
),
holders AS (  -- who of ours had the address while it scanned; of several the last, and of one that has a name rather
    SELECT
        workload_interfaces.account_id AS holder_account,
        private_ip,
        workload_kind,
        workload_id,
        service,
        interface_id,
        count(*) OVER (PARTITION BY workload_interfaces.account_id, private_ip) AS holder_count,
        row_number() OVER (
            PARTITION BY workload_interfaces.account_id, private_ip
            ORDER BY
                CASE WHEN workload_id IS NULL THEN 1 ELSE 0 END, workload_interfaces.last_seen DESC, workload_id,
                interface_id
        ) AS place
    FROM workload_interfaces
    JOIN scanning
        ON scanning.account_id = workload_interfaces.account_id
        AND scanning.srcaddr = private_ip
        AND scanning.first_seen <= workload_interfaces.last_seen
        AND scanning.last_seen >= workload_interfaces.first_seen
    WHERE kind IS NOT NULL
)
SELECT
    srcaddr,
    NOT regexp_like(
        srcaddr,
        '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
    ) AS is_public,
    kind,
    account_id,
    workload_kind,
    workload_id,
    service,
    holders.interface_id,
    COALESCE(holder_count, 0) AS holder_count,
    port_count,
    host_count,
    door_count,
    interface_count,
    hours_active,
    most_ports_an_hour,
    most_hosts_an_hour,
    reject_count,
    first_seen,
    last_seen,
    flow
FROM scanning
LEFT JOIN holders ON holder_account = account_id AND private_ip = srcaddr AND place = 1
WHERE kind IS NOT NULL
ORDER BY door_count DESC, srcaddr, account_id
LIMIT :limit
