-- title: VPC Flow Logs as AWS delivers them, text or Parquet, over a table of AWS's documentation, old or new
-- about: >-
--   A number or time that its column cannot hold is NULL, where ingest would quarantine the record; one without a start
--   is in no window, and neither is the line of names in a table that does not skip it. What a field says wins: account
--   and region come from the folder (its partition key) only where the table has no such field. `extra` is NULL: fields
--   without a name here are not read.
-- columns: {version: integer, account_id: varchar, interface_id: varchar, srcaddr: varchar, dstaddr: varchar,
--   srcport: integer, dstport: integer, protocol: integer, packets: bigint, bytes: bigint, start: bigint, end: bigint,
--   action: varchar, log_status: varchar, vpc_id: varchar, subnet_id: varchar, instance_id: varchar,
--   tcp_flags: integer, type: varchar, pkt_srcaddr: varchar, pkt_dstaddr: varchar, region: varchar, az_id: varchar,
--   sublocation_type: varchar, sublocation_id: varchar, pkt_src_aws_service: varchar, pkt_dst_aws_service: varchar,
--   flow_direction: varchar, traffic_path: integer, ecs_cluster_arn: varchar, ecs_cluster_name: varchar,
--   ecs_container_instance_arn: varchar, ecs_container_instance_id: varchar, ecs_container_id: varchar,
--   ecs_second_container_id: varchar, ecs_service_name: varchar, ecs_task_definition_arn: varchar,
--   ecs_task_arn: varchar, ecs_task_id: varchar, reject_reason: varchar, resource_id: varchar,
--   encryption_status: integer, instance_tag: varchar, instance_tag_2: varchar, interface_tag: varchar,
--   interface_tag_2: varchar, asg_tag: varchar, asg_tag_2: varchar, interface_type: varchar,
--   next_hop_interface_id: varchar, next_hop_subnet_id: varchar, next_hop_az_id: varchar, next_hop_vpc_id: varchar,
--   next_hop_interface_type: varchar, $path: varchar}
-- needs: [start, end]
-- also: {account_id: [account, accountid, aws_account_id, aws-account-id, accid], interface_id: [interfaceid],
--   srcaddr: [sourceaddress], dstaddr: [destinationaddress], srcport: [sourceport], dstport: [destinationport],
--   packets: [numpackets], bytes: [numbytes], start: [starttime], end: [endtime], log_status: [logstatus],
--   vpc_id: [vpcid], subnet_id: [subnetid], instance_id: [instanceid], tcp_flags: [tcpflags],
--   pkt_srcaddr: [pktsrcaddr], pkt_dstaddr: [pktdstaddr], region: [aws_region, aws-region, awsregion], az_id: [azid],
--   sublocation_type: [sublocationtype], sublocation_id: [sublocationid], pkt_src_aws_service: [pktsrcawsservice],
--   pkt_dst_aws_service: [pktdstawsservice], flow_direction: [flowdirection], traffic_path: [trafficpath]}
SELECT
    CAST(from_unixtime(start, 'UTC') AS TIMESTAMP) AS start_time,
    CASE
        WHEN "end" BETWEEN 0 AND 253402300799  -- the year 9999, behind which no engine has times
        THEN CAST(from_unixtime("end", 'UTC') AS TIMESTAMP)
    END AS end_time,
    CAST(from_unixtime(start, 'UTC') AS DATE) AS event_date,
    version,
    CASE
        WHEN regexp_like(account_id, '^[0-9]{1,11}$')  -- as a number it has lost its first zeros
        THEN lpad(account_id, 12, '0')
        ELSE NULLIF(NULLIF(account_id, '-'), '')
    END AS account_id,
    NULLIF(NULLIF(interface_id, '-'), '') AS interface_id,
    NULLIF(NULLIF(srcaddr, '-'), '') AS srcaddr,
    NULLIF(NULLIF(dstaddr, '-'), '') AS dstaddr,
    srcport,
    dstport,
    protocol,
    packets,
    bytes,
    NULLIF(NULLIF(action, '-'), '') AS action,
    NULLIF(NULLIF(log_status, '-'), '') AS log_status,
    NULLIF(NULLIF(vpc_id, '-'), '') AS vpc_id,
    NULLIF(NULLIF(subnet_id, '-'), '') AS subnet_id,
    NULLIF(NULLIF(instance_id, '-'), '') AS instance_id,
    tcp_flags,
    NULLIF(NULLIF(type, '-'), '') AS type,
    NULLIF(NULLIF(pkt_srcaddr, '-'), '') AS pkt_srcaddr,
    NULLIF(NULLIF(pkt_dstaddr, '-'), '') AS pkt_dstaddr,
    NULLIF(NULLIF(region, '-'), '') AS region,
    NULLIF(NULLIF(az_id, '-'), '') AS az_id,
    NULLIF(NULLIF(sublocation_type, '-'), '') AS sublocation_type,
    NULLIF(NULLIF(sublocation_id, '-'), '') AS sublocation_id,
    NULLIF(NULLIF(pkt_src_aws_service, '-'), '') AS pkt_src_aws_service,
    NULLIF(NULLIF(pkt_dst_aws_service, '-'), '') AS pkt_dst_aws_service,
    NULLIF(NULLIF(flow_direction, '-'), '') AS flow_direction,
    traffic_path,
    NULLIF(NULLIF(ecs_cluster_arn, '-'), '') AS ecs_cluster_arn,
    NULLIF(NULLIF(ecs_cluster_name, '-'), '') AS ecs_cluster_name,
    NULLIF(NULLIF(ecs_container_instance_arn, '-'), '') AS ecs_container_instance_arn,
    NULLIF(NULLIF(ecs_container_instance_id, '-'), '') AS ecs_container_instance_id,
    NULLIF(NULLIF(ecs_container_id, '-'), '') AS ecs_container_id,
    NULLIF(NULLIF(ecs_second_container_id, '-'), '') AS ecs_second_container_id,
    NULLIF(NULLIF(ecs_service_name, '-'), '') AS ecs_service_name,
    NULLIF(NULLIF(ecs_task_definition_arn, '-'), '') AS ecs_task_definition_arn,
    NULLIF(NULLIF(ecs_task_arn, '-'), '') AS ecs_task_arn,
    NULLIF(NULLIF(ecs_task_id, '-'), '') AS ecs_task_id,
    NULLIF(NULLIF(reject_reason, '-'), '') AS reject_reason,
    NULLIF(NULLIF(resource_id, '-'), '') AS resource_id,
    encryption_status,
    NULLIF(NULLIF(instance_tag, '-'), '') AS instance_tag,
    NULLIF(NULLIF(instance_tag_2, '-'), '') AS instance_tag_2,
    NULLIF(NULLIF(interface_tag, '-'), '') AS interface_tag,
    NULLIF(NULLIF(interface_tag_2, '-'), '') AS interface_tag_2,
    NULLIF(NULLIF(asg_tag, '-'), '') AS asg_tag,
    NULLIF(NULLIF(asg_tag_2, '-'), '') AS asg_tag_2,
    NULLIF(NULLIF(interface_type, '-'), '') AS interface_type,
    NULLIF(NULLIF(next_hop_interface_id, '-'), '') AS next_hop_interface_id,
    NULLIF(NULLIF(next_hop_subnet_id, '-'), '') AS next_hop_subnet_id,
    NULLIF(NULLIF(next_hop_az_id, '-'), '') AS next_hop_az_id,
    NULLIF(NULLIF(next_hop_vpc_id, '-'), '') AS next_hop_vpc_id,
    NULLIF(NULLIF(next_hop_interface_type, '-'), '') AS next_hop_interface_type,
    CAST(NULL AS VARCHAR) AS extra,
    "$path" AS log_file
FROM stored_flow_records
WHERE :within_partitions
  AND start >= :window_start_s  -- on the column as it is, so that Parquet is skipped
  AND start < :window_end_s
