-- title: "VPC Flow Logs in Amazon Security Lake, source version 2 (OCSF 1.1, class 4001)"
-- about: >-
--   Security Lake turns the log around: what names the interface stands at the endpoint that the flow came in or went
--   out by, an address behind NAT is the endpoint's own and the interface's is the first of `intermediate_ips`, and
--   `traffic_path` is a kind of boundary. It keeps the fields of versions 2 to 5. Not kept, so NULL here: ECS fields,
--   `reject_reason`, `resource_id`, `encryption_status`, tags, interface types and next hops. The window is on
--   `time_dt`, the record's start, by which the table is partitioned.
-- columns:
--   time_dt: timestamp
--   end_time_dt: timestamp
--   metadata: row(product row(version varchar))
--   cloud: row(account row(uid varchar), region varchar, zone varchar)
--   accountid: varchar
--   region: varchar
--   src_endpoint: &endpoint >-
--     row(port integer, ip varchar, intermediate_ips array(varchar), svc_name varchar, interface_uid varchar,
--     vpc_uid varchar, instance_uid varchar, subnet_uid varchar)
--   dst_endpoint: *endpoint
--   connection_info: >-
--     row(protocol_num integer, tcp_flags integer, protocol_ver varchar, boundary_id integer, direction varchar)
--   traffic: row(packets bigint, bytes bigint)
--   action: varchar
--   status_code: varchar
--   unmapped: map(varchar, varchar)
--   $path: varchar
-- needs: [time_dt, src_endpoint, dst_endpoint, action]
SELECT
    CAST(time_dt AS TIMESTAMP) AS start_time,
    CAST(end_time_dt AS TIMESTAMP) AS end_time,
    CAST(time_dt AS DATE) AS event_date,
    TRY_CAST(metadata.product.version AS INTEGER) AS version,
    COALESCE(NULLIF(NULLIF(cloud.account.uid, '-'), ''), accountid) AS account_id,
    COALESCE(
        NULLIF(NULLIF(src_endpoint.interface_uid, '-'), ''),
        NULLIF(NULLIF(dst_endpoint.interface_uid, '-'), '')
    ) AS interface_id,
    COALESCE(element_at(src_endpoint.intermediate_ips, 1), NULLIF(NULLIF(src_endpoint.ip, '-'), '')) AS srcaddr,
    COALESCE(element_at(dst_endpoint.intermediate_ips, 1), NULLIF(NULLIF(dst_endpoint.ip, '-'), '')) AS dstaddr,
    src_endpoint.port AS srcport,
    dst_endpoint.port AS dstport,
    connection_info.protocol_num AS protocol,
    traffic.packets AS packets,
    traffic.bytes AS bytes,
    CASE
        WHEN action IN ('Allowed', 'ACCEPT') THEN 'ACCEPT'
        WHEN action IN ('Denied', 'Blocked', 'REJECT') THEN 'REJECT'
    END AS action,
    NULLIF(NULLIF(status_code, '-'), '') AS log_status,
    COALESCE(
        NULLIF(NULLIF(src_endpoint.vpc_uid, '-'), ''),
        NULLIF(NULLIF(dst_endpoint.vpc_uid, '-'), '')
    ) AS vpc_id,
    COALESCE(
        NULLIF(NULLIF(src_endpoint.subnet_uid, '-'), ''),
        NULLIF(NULLIF(dst_endpoint.subnet_uid, '-'), '')
    ) AS subnet_id,
    COALESCE(
        NULLIF(NULLIF(src_endpoint.instance_uid, '-'), ''),
        NULLIF(NULLIF(dst_endpoint.instance_uid, '-'), '')
    ) AS instance_id,
    connection_info.tcp_flags AS tcp_flags,
    NULLIF(NULLIF(connection_info.protocol_ver, '-'), '') AS type,
    NULLIF(NULLIF(src_endpoint.ip, '-'), '') AS pkt_srcaddr,
    NULLIF(NULLIF(dst_endpoint.ip, '-'), '') AS pkt_dstaddr,
    COALESCE(NULLIF(NULLIF(cloud.region, '-'), ''), region) AS region,
    NULLIF(NULLIF(cloud.zone, '-'), '') AS az_id,
    NULLIF(NULLIF(element_at(unmapped, 'sublocation_type'), '-'), '') AS sublocation_type,
    NULLIF(NULLIF(element_at(unmapped, 'sublocation_id'), '-'), '') AS sublocation_id,
    NULLIF(NULLIF(src_endpoint.svc_name, '-'), '') AS pkt_src_aws_service,
    NULLIF(NULLIF(dst_endpoint.svc_name, '-'), '') AS pkt_dst_aws_service,
    CASE
        WHEN connection_info.direction IN ('Inbound', 'ingress') THEN 'ingress'
        WHEN connection_info.direction IN ('Outbound', 'egress') THEN 'egress'
    END AS flow_direction,
    CASE
        WHEN connection_info.boundary_id BETWEEN 4 AND 11
        THEN connection_info.boundary_id - 3
    END AS traffic_path,
    CAST(NULL AS VARCHAR) AS ecs_cluster_arn,
    CAST(NULL AS VARCHAR) AS ecs_cluster_name,
    CAST(NULL AS VARCHAR) AS ecs_container_instance_arn,
    CAST(NULL AS VARCHAR) AS ecs_container_instance_id,
    CAST(NULL AS VARCHAR) AS ecs_container_id,
    CAST(NULL AS VARCHAR) AS ecs_second_container_id,
    CAST(NULL AS VARCHAR) AS ecs_service_name,
    CAST(NULL AS VARCHAR) AS ecs_task_definition_arn,
    CAST(NULL AS VARCHAR) AS ecs_task_arn,
    CAST(NULL AS VARCHAR) AS ecs_task_id,
    CAST(NULL AS VARCHAR) AS reject_reason,
    CAST(NULL AS VARCHAR) AS resource_id,
    CAST(NULL AS INTEGER) AS encryption_status,
    CAST(NULL AS VARCHAR) AS instance_tag,
    CAST(NULL AS VARCHAR) AS instance_tag_2,
    CAST(NULL AS VARCHAR) AS interface_tag,
    CAST(NULL AS VARCHAR) AS interface_tag_2,
    CAST(NULL AS VARCHAR) AS asg_tag,
    CAST(NULL AS VARCHAR) AS asg_tag_2,
    CAST(NULL AS VARCHAR) AS interface_type,
    CAST(NULL AS VARCHAR) AS next_hop_interface_id,
    CAST(NULL AS VARCHAR) AS next_hop_subnet_id,
    CAST(NULL AS VARCHAR) AS next_hop_az_id,
    CAST(NULL AS VARCHAR) AS next_hop_vpc_id,
    CAST(NULL AS VARCHAR) AS next_hop_interface_type,
    CAST(NULL AS VARCHAR) AS extra,
    "$path" AS log_file
FROM stored_flow_records
WHERE :within_partitions
  AND time_dt >= :window_start
  AND time_dt < :window_end
