-- title: Interfaces and the workloads behind them
-- about: One row for each interface, workload and span of time (first_seen to last_seen) in which the logs show the
--   interface as that workload's. A flow record's own word (ecs-task-id, instance-id) goes before what CloudTrail
--   lets one infer. An interface of which no log tells the workload has one row of kind unknown, or other when its
--   maker described it as nothing known here. Interfaces and private addresses go from one workload to the next, so
--   join by time as well (from first_seen to last_seen, and before next_seen); between two spans nobody can tell.
WITH sightings AS (  -- flow records, by what they say of their interface
    SELECT
        COALESCE(interface_id, resource_id) AS interface_id,  -- a regional NAT gateway has no interface
        instance_id,
        interface_type,
        resource_id,
        ecs_task_arn,
        ecs_task_id,
        ecs_task_definition_arn,
        ecs_cluster_arn,
        ecs_cluster_name,
        ecs_service_name,
        vpc_id,
        subnet_id,
        max(NULLIF(account_id, 'unknown')) AS account_id,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        min(srcaddr || '>' || dstaddr || ':' || CAST(dstport AS VARCHAR) || '/' || CAST(protocol AS VARCHAR)) AS ends,
        -- The interface's own address stands on a known side; else in every record, so in the first and last by name.
        min(CASE
            WHEN flow_direction = 'egress' AND strpos(srcaddr, ':') = 0 THEN srcaddr
            WHEN flow_direction = 'ingress' AND strpos(dstaddr, ':') = 0 THEN dstaddr
        END) AS lowest_own,
        max(CASE
            WHEN flow_direction = 'egress' AND strpos(srcaddr, ':') = 0 THEN srcaddr
            WHEN flow_direction = 'ingress' AND strpos(dstaddr, ':') = 0 THEN dstaddr
        END) AS highest_own,
        min(CASE
            WHEN flow_direction IS NULL AND strpos(srcaddr, ':') = 0
                THEN least(srcaddr, dstaddr) || ' ' || greatest(srcaddr, dstaddr)
        END) AS lowest_pair,
        max(CASE
            WHEN flow_direction IS NULL AND strpos(srcaddr, ':') = 0
                THEN least(srcaddr, dstaddr) || ' ' || greatest(srcaddr, dstaddr)
        END) AS highest_pair,
        bool_or(
            pkt_dstaddr <> dstaddr
            AND COALESCE(flow_direction, 'ingress') = 'ingress'
            AND NOT regexp_like(
                pkt_dstaddr,
                '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
                    || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
            )
        ) AS translates  -- packets on their way to the internet come in under the interface's own address: NAT
    FROM flow_records
    WHERE COALESCE(interface_id, resource_id) IS NOT NULL
    GROUP BY
        COALESCE(interface_id, resource_id), instance_id, interface_type, resource_id, ecs_task_arn, ecs_task_id,
        ecs_task_definition_arn, ecs_cluster_arn, ecs_cluster_name, ecs_service_name, vpc_id, subnet_id
),
ends_of_pairs AS (
    SELECT
        interface_id,
        max(account_id) AS account_id,
        max(vpc_id) AS vpc_id,
        max(subnet_id) AS subnet_id,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        min(ends) AS ends,
        min(lowest_own) AS lowest_own,
        max(highest_own) AS highest_own,
        min(lowest_pair) AS lowest_pair,
        max(highest_pair) AS highest_pair,
        split_part(min(lowest_pair), ' ', 1) AS first_a,
        split_part(min(lowest_pair), ' ', 2) AS first_b,
        split_part(max(highest_pair), ' ', 1) AS last_a,
        split_part(max(highest_pair), ' ', 2) AS last_b
    FROM sightings
    GROUP BY interface_id
),
seen AS (
    SELECT
        ends_of_pairs.*,
        CASE
            WHEN lowest_own = highest_own THEN lowest_own
            WHEN lowest_own IS NOT NULL THEN NULL  -- it passes on what is others'
            WHEN lowest_pair <> highest_pair AND first_a IN (last_a, last_b) THEN first_a
            WHEN lowest_pair <> highest_pair AND first_b IN (last_a, last_b) THEN first_b
            WHEN lowest_pair <> highest_pair THEN NULL
            WHEN regexp_like(
                first_a,
                '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            ) AND NOT regexp_like(
                first_b,
                '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            ) THEN first_a
            WHEN regexp_like(
                first_b,
                '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            ) AND NOT regexp_like(
                first_a,
                '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
            ) THEN first_b
        END AS private_ip
    FROM ends_of_pairs
),
calls AS (
    SELECT event_id, event_time, account_id, event_name, request_parameters, response_elements
    FROM cloudtrail_events
    WHERE outcome = 'ok'
      AND (
          (
              event_source = 'ec2.amazonaws.com'
              AND event_name IN (
                  'CreateNetworkInterface', 'DeleteNetworkInterface', 'AttachNetworkInterface',
                  'ModifyNetworkInterfaceAttribute', 'RunInstances', 'AllocateAddress', 'AssociateAddress'
              )
          )
          OR (
              event_source = 'ecs.amazonaws.com'
              AND event_name IN ('RunTask', 'StartTask', 'DescribeTasks', 'RegisterTaskDefinition')
          )
      )
),
made AS (
    SELECT
        json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId') AS interface_id,
        account_id,
        event_id,
        event_time,
        COALESCE(
            json_extract_scalar(response_elements, '$.networkInterface.description'),
            json_extract_scalar(request_parameters, '$.description')
        ) AS description,
        json_extract_scalar(response_elements, '$.networkInterface.privateIpAddress') AS private_ip,
        json_extract_scalar(response_elements, '$.networkInterface.subnetId') AS subnet_id,
        json_extract_scalar(response_elements, '$.networkInterface.vpcId') AS vpc_id,
        TRY_CAST(json_extract(response_elements, '$.networkInterface.groupSet.items') AS ARRAY(JSON)) AS group_items
    FROM calls
    WHERE event_name = 'CreateNetworkInterface'
      AND json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId') IS NOT NULL
),
described AS (
    SELECT
        made.*,
        CASE
            WHEN regexp_like(description, '^arn:aws[a-z-]*:ecs:[^:]*:[0-9]*:attachment/') THEN 'ecs_task'
            WHEN description LIKE 'ELB %' THEN 'load_balancer'
            WHEN description LIKE 'Interface for NAT Gateway %' THEN 'nat_gateway'
            WHEN description LIKE 'VPC Endpoint Interface %' THEN 'vpc_endpoint'
            WHEN description LIKE 'AWS Lambda VPC ENI%' THEN 'lambda'
            WHEN description LIKE 'RDSNetworkInterface%' THEN 'database'
            WHEN description LIKE 'EFS mount target for %' THEN 'efs'
            ELSE 'other'
        END AS workload_kind,
        CASE
            WHEN description LIKE 'ELB %' THEN substr(description, 5)
            WHEN description LIKE 'Interface for NAT Gateway %' THEN regexp_extract(description, 'nat-[0-9a-f]+')
            WHEN description LIKE 'VPC Endpoint Interface %' THEN regexp_extract(description, 'vpce-[0-9a-f]+')
            WHEN description LIKE 'EFS mount target for %' THEN regexp_extract(description, 'fs-[0-9a-f]+')
            WHEN description LIKE 'AWS Lambda VPC ENI-%' THEN regexp_replace(
                substr(description, 20), '-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', ''
            )
        END AS workload_id,
        regexp_extract(description, '^arn:aws[a-z-]*:ecs:[^:]*:[0-9]*:attachment/(.+)$', 1) AS attachment_id,
        lead(event_time) OVER (PARTITION BY account_id, private_ip ORDER BY event_time, event_id) AS address_until,
        min(vpc_id) OVER (PARTITION BY account_id, private_ip)
            = max(vpc_id) OVER (PARTITION BY account_id, private_ip) AS address_in_one_vpc
    FROM made
),
made_again AS (  -- an id is hardly ever given twice, and a copy of the event must not make two of an interface
    SELECT
        described.*,
        row_number() OVER (PARTITION BY interface_id ORDER BY event_time DESC, event_id) AS place
    FROM described
),
ended AS (
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id,
        max(event_time) AS ended_at
    FROM calls
    WHERE event_name = 'DeleteNetworkInterface'
    GROUP BY json_extract_scalar(request_parameters, '$.networkInterfaceId')
),
tasks AS (
    SELECT
        calls.account_id,
        calls.event_id,
        calls.event_time,
        calls.event_name,
        json_extract_scalar(task, '$.taskArn') AS task_arn,
        regexp_extract(json_extract_scalar(task, '$.taskArn'), '[^/]+$') AS task_id,
        json_extract_scalar(task, '$.taskDefinitionArn') AS task_definition_arn,
        regexp_extract(json_extract_scalar(task, '$.clusterArn'), '[^/]+$') AS cluster,
        CASE
            WHEN json_extract_scalar(task, '$.group') LIKE 'service:%'
                THEN substr(json_extract_scalar(task, '$.group'), 9)
        END AS service,
        COALESCE(
            json_extract_scalar(task, '$.overrides.taskRoleArn'),
            json_extract_scalar(request_parameters, '$.overrides.taskRoleArn')
        ) AS override_role,
        TRY_CAST(json_extract(task, '$.attachments') AS ARRAY(JSON)) AS attachments
    FROM calls
    CROSS JOIN UNNEST(TRY_CAST(json_extract(response_elements, '$.tasks') AS ARRAY(JSON))) AS t(task)
    WHERE event_name IN ('RunTask', 'StartTask', 'DescribeTasks')
      AND json_extract_scalar(task, '$.taskArn') IS NOT NULL
),
attached AS (
    SELECT
        tasks.*,
        json_extract_scalar(attachment, '$.id') AS attachment_id,
        element_at(filter(
            TRY_CAST(json_extract(attachment, '$.details') AS ARRAY(JSON)),
            detail -> json_extract_scalar(detail, '$.name') = 'networkInterfaceId'
        ), 1) AS interface_detail,
        element_at(filter(
            TRY_CAST(json_extract(attachment, '$.details') AS ARRAY(JSON)),
            detail -> json_extract_scalar(detail, '$.name') = 'privateIPv4Address'
        ), 1) AS address_detail,
        element_at(filter(
            TRY_CAST(json_extract(attachment, '$.details') AS ARRAY(JSON)),
            detail -> json_extract_scalar(detail, '$.name') = 'subnetId'
        ), 1) AS subnet_detail
    FROM tasks
    CROSS JOIN UNNEST(attachments) AS a(attachment)
),
task_facts AS (  -- what CloudTrail knows of a task, by its id
    SELECT
        task_id,
        max(task_arn) AS task_arn,
        max(task_definition_arn) AS task_definition_arn,
        max(cluster) AS cluster,
        max(service) AS service,
        max(override_role) AS override_role,
        min(event_id) AS event_id
    FROM tasks
    GROUP BY task_id
),
task_roles AS (
    SELECT
        json_extract_scalar(response_elements, '$.taskDefinition.taskDefinitionArn') AS task_definition_arn,
        max(json_extract_scalar(response_elements, '$.taskDefinition.taskRoleArn')) AS role
    FROM calls
    WHERE event_name = 'RegisterTaskDefinition'
    GROUP BY json_extract_scalar(response_elements, '$.taskDefinition.taskDefinitionArn')
),
instances AS (
    SELECT
        account_id,
        event_id,
        event_time,
        json_extract_scalar(instance, '$.instanceId') AS instance_id,
        json_extract_scalar(instance, '$.vpcId') AS vpc_id,
        json_extract_scalar(instance, '$.iamInstanceProfile.arn') AS role,
        TRY_CAST(json_extract(instance, '$.networkInterfaceSet.items') AS ARRAY(JSON)) AS interfaces
    FROM calls
    CROSS JOIN UNNEST(TRY_CAST(json_extract(response_elements, '$.instancesSet.items') AS ARRAY(JSON))) AS i(instance)
    WHERE event_name = 'RunInstances'
),
instance_interfaces AS (
    SELECT
        instances.*,
        json_extract_scalar(interface, '$.networkInterfaceId') AS interface_id,
        json_extract_scalar(interface, '$.privateIpAddress') AS private_ip,
        json_extract_scalar(interface, '$.subnetId') AS subnet_id,
        TRY_CAST(json_extract(interface, '$.groupSet.items') AS ARRAY(JSON)) AS group_items
    FROM instances
    CROSS JOIN UNNEST(interfaces) AS n(interface)
),
-- A task's id is the session name of its roles; through a VPC endpoint it calls from its own address.
task_sessions AS (
    SELECT account_id, source_ip, session_name, event_time, event_id, event_name
    FROM cloudtrail_events
    WHERE vpc_endpoint_id IS NOT NULL
      AND regexp_like(session_name, '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$')
),
claims AS (  -- whose an interface is, each from one place; a lower tier goes before a higher one, then a lower rank
    SELECT
        interface_id,
        CASE
            WHEN COALESCE(ecs_task_id, ecs_task_arn) IS NOT NULL THEN 1
            WHEN instance_id IS NOT NULL THEN 3
            ELSE 4
        END AS tier,
        CASE
            WHEN COALESCE(ecs_task_id, ecs_task_arn, instance_id, interface_type) IS NOT NULL
                OR resource_id LIKE 'nat-%'
                THEN 1
            ELSE 7  -- it is told from what passes through
        END AS rank_in_tier,
        CASE
            WHEN COALESCE(ecs_task_id, ecs_task_arn) IS NOT NULL THEN 'ecs_task'
            WHEN instance_id IS NOT NULL THEN 'instance'
            WHEN interface_type = 'network_load_balancer' THEN 'load_balancer'
            WHEN interface_type = 'vpc_endpoint' THEN 'vpc_endpoint'
            WHEN interface_type IN ('nat_gateway', 'regional_nat_gateway') OR resource_id LIKE 'nat-%'
                THEN 'nat_gateway'
            WHEN interface_type IS NOT NULL THEN 'other'
            ELSE 'nat_gateway'
        END AS workload_kind,
        COALESCE(ecs_task_id, regexp_extract(ecs_task_arn, '[^/]+$'), instance_id, resource_id) AS workload_id,
        ecs_task_arn AS task_arn,
        ecs_task_definition_arn AS task_definition_arn,
        COALESCE(ecs_cluster_name, regexp_extract(ecs_cluster_arn, '[^/]+$')) AS cluster,
        ecs_service_name AS service,
        CAST(NULL AS VARCHAR) AS role,
        first_seen,
        last_seen,
        'flow_log' AS told_by,
        CAST(NULL AS VARCHAR) AS event_id,
        ends
    FROM sightings
    WHERE COALESCE(ecs_task_id, ecs_task_arn, instance_id, interface_type) IS NOT NULL
        OR resource_id LIKE 'nat-%'
        OR translates
    UNION ALL
    SELECT
        json_extract_scalar(interface_detail, '$.value') AS interface_id, 2 AS tier, 1 AS rank_in_tier,
        'ecs_task' AS workload_kind, task_id AS workload_id, task_arn, task_definition_arn, cluster, service,
        override_role AS role, event_time AS first_seen, event_time AS last_seen, event_name AS told_by, event_id,
        CAST(NULL AS VARCHAR) AS ends
    FROM attached
    WHERE json_extract_scalar(interface_detail, '$.value') IS NOT NULL
    UNION ALL
    SELECT
        described.interface_id, 2 AS tier, 2 AS rank_in_tier, 'ecs_task' AS workload_kind, task_id AS workload_id,
        task_arn, task_definition_arn, cluster, service, override_role AS role, described.event_time AS first_seen,
        described.event_time AS last_seen, event_name AS told_by, attached.event_id, CAST(NULL AS VARCHAR) AS ends
    FROM attached
    JOIN described ON described.attachment_id = attached.attachment_id
    UNION ALL
    SELECT
        described.interface_id, 2 AS tier, 3 AS rank_in_tier, 'ecs_task' AS workload_kind,
        session_name AS workload_id, CAST(NULL AS VARCHAR) AS task_arn, CAST(NULL AS VARCHAR) AS task_definition_arn,
        CAST(NULL AS VARCHAR) AS cluster, CAST(NULL AS VARCHAR) AS service, CAST(NULL AS VARCHAR) AS role,
        task_sessions.event_time AS first_seen, task_sessions.event_time AS last_seen, event_name AS told_by,
        task_sessions.event_id, CAST(NULL AS VARCHAR) AS ends
    FROM described
    JOIN task_sessions
        ON task_sessions.account_id = described.account_id
        AND task_sessions.source_ip = described.private_ip
        AND task_sessions.event_time >= described.event_time
        AND (address_until IS NULL OR task_sessions.event_time < address_until)
    WHERE workload_kind = 'ecs_task'
      AND address_in_one_vpc
    UNION ALL
    SELECT
        interface_id, CASE WHEN workload_kind = 'ecs_task' THEN 2 ELSE 4 END AS tier,
        CASE WHEN workload_kind = 'other' THEN 9 ELSE 5 END AS rank_in_tier, workload_kind, workload_id,
        CAST(NULL AS VARCHAR) AS task_arn, CAST(NULL AS VARCHAR) AS task_definition_arn,
        CAST(NULL AS VARCHAR) AS cluster, CAST(NULL AS VARCHAR) AS service, CAST(NULL AS VARCHAR) AS role,
        event_time AS first_seen, event_time AS last_seen, 'CreateNetworkInterface' AS told_by, event_id,
        CAST(NULL AS VARCHAR) AS ends
    FROM described
    UNION ALL
    SELECT
        interface_id, 3 AS tier, 2 AS rank_in_tier, 'instance' AS workload_kind, instance_id AS workload_id,
        CAST(NULL AS VARCHAR) AS task_arn, CAST(NULL AS VARCHAR) AS task_definition_arn,
        CAST(NULL AS VARCHAR) AS cluster, CAST(NULL AS VARCHAR) AS service, role, event_time AS first_seen,
        event_time AS last_seen, 'RunInstances' AS told_by, event_id, CAST(NULL AS VARCHAR) AS ends
    FROM instance_interfaces
    WHERE interface_id IS NOT NULL
    UNION ALL
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id, 3 AS tier,
        3 AS rank_in_tier, 'instance' AS workload_kind,
        json_extract_scalar(request_parameters, '$.instanceId') AS workload_id,
        CAST(NULL AS VARCHAR) AS task_arn, CAST(NULL AS VARCHAR) AS task_definition_arn,
        CAST(NULL AS VARCHAR) AS cluster, CAST(NULL AS VARCHAR) AS service, CAST(NULL AS VARCHAR) AS role,
        event_time AS first_seen, event_time AS last_seen, event_name AS told_by, event_id,
        CAST(NULL AS VARCHAR) AS ends
    FROM calls
    WHERE event_name = 'AttachNetworkInterface'
      AND json_extract_scalar(request_parameters, '$.networkInterfaceId') IS NOT NULL
      AND json_extract_scalar(request_parameters, '$.instanceId') IS NOT NULL
    UNION ALL
    SELECT
        interface_id, 5 AS tier, 1 AS rank_in_tier, 'unknown' AS workload_kind, CAST(NULL AS VARCHAR) AS workload_id,
        CAST(NULL AS VARCHAR) AS task_arn, CAST(NULL AS VARCHAR) AS task_definition_arn,
        CAST(NULL AS VARCHAR) AS cluster, CAST(NULL AS VARCHAR) AS service, CAST(NULL AS VARCHAR) AS role,
        first_seen, last_seen, 'flow_log' AS told_by, CAST(NULL AS VARCHAR) AS event_id, ends
    FROM seen
),
weighed AS (
    SELECT
        claims.*,
        -- A task or an instance is who it is; what an interface was made for it stays, whoever tells it.
        CASE WHEN tier IN (1, 3) THEN workload_id ELSE '' END AS holder,
        min(tier) OVER (PARTITION BY interface_id) AS best_tier
    FROM claims
),
flow_spans AS (
    SELECT interface_id, workload_id, min(first_seen) AS flow_first, max(last_seen) AS flow_last
    FROM claims
    WHERE told_by = 'flow_log'
      AND workload_kind = 'instance'
    GROUP BY interface_id, workload_id
),
gainsaid AS (  -- attached to one instance, says an event, while flow records name another
    SELECT DISTINCT claims.interface_id, claims.event_id
    FROM claims
    JOIN flow_spans ON flow_spans.interface_id = claims.interface_id
    WHERE claims.workload_kind = 'instance'
      AND claims.told_by <> 'flow_log'
      AND claims.workload_id <> flow_spans.workload_id
      AND claims.first_seen BETWEEN flow_first AND flow_last
),
placed AS (
    SELECT
        weighed.*,
        row_number() OVER (
            PARTITION BY weighed.interface_id, holder
            ORDER BY rank_in_tier, CASE WHEN told_by = 'flow_log' THEN 0 ELSE 1 END, first_seen, weighed.event_id, ends,
                workload_kind, workload_id, task_arn, task_definition_arn, cluster, service
        ) AS place,
        min(first_seen) OVER (PARTITION BY weighed.interface_id, holder) AS holder_first,
        max(last_seen) OVER (PARTITION BY weighed.interface_id, holder) AS holder_last,
        max(workload_id) OVER (PARTITION BY weighed.interface_id, holder, workload_kind) AS any_workload_id,
        max(task_arn) OVER (PARTITION BY weighed.interface_id, holder, workload_id) AS any_task_arn,
        max(task_definition_arn) OVER (PARTITION BY weighed.interface_id, holder, workload_id) AS any_definition_arn,
        max(cluster) OVER (PARTITION BY weighed.interface_id, holder, workload_id) AS any_cluster,
        max(service) OVER (PARTITION BY weighed.interface_id, holder, workload_id) AS any_service,
        max(role) OVER (PARTITION BY weighed.interface_id, holder, workload_id) AS any_role,
        min(weighed.event_id) OVER (PARTITION BY weighed.interface_id, holder, workload_kind) AS any_event_id,
        min(ends) OVER (PARTITION BY weighed.interface_id, holder, workload_kind) AS any_ends
    FROM weighed
    LEFT JOIN gainsaid ON gainsaid.interface_id = weighed.interface_id AND gainsaid.event_id = weighed.event_id
    WHERE tier = best_tier
      AND gainsaid.event_id IS NULL
),
holders AS (
    SELECT
        placed.*,
        row_number() OVER (PARTITION BY interface_id ORDER BY holder_first, holder) AS turn,
        row_number() OVER (PARTITION BY interface_id ORDER BY holder_last DESC, holder DESC) AS turn_from_last,
        lead(holder_first) OVER (PARTITION BY interface_id ORDER BY holder_first, holder) AS next_seen
    FROM placed
    WHERE place = 1
),
grouped AS (  -- the groups each call put on an interface
    SELECT interface_id, event_time, event_id, group_items FROM made
    UNION ALL
    SELECT interface_id, event_time, event_id, group_items FROM instance_interfaces
    UNION ALL
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id,
        event_time,
        event_id,
        TRY_CAST(json_extract(request_parameters, '$.groupSet.items') AS ARRAY(JSON)) AS group_items
    FROM calls
    WHERE event_name = 'ModifyNetworkInterfaceAttribute'
),
last_groups AS (
    SELECT
        interface_id,
        array_join(array_sort(array_distinct(
            transform(group_items, item -> json_extract_scalar(item, '$.groupId'))
        )), ', ') AS security_groups,
        row_number() OVER (PARTITION BY interface_id ORDER BY event_time DESC, event_id) AS place
    FROM grouped
    WHERE cardinality(group_items) > 0
),
told_facts AS (
    SELECT interface_id, account_id, private_ip, subnet_id, vpc_id FROM made
    UNION ALL
    SELECT interface_id, account_id, private_ip, subnet_id, vpc_id FROM instance_interfaces
    UNION ALL
    SELECT
        json_extract_scalar(interface_detail, '$.value') AS interface_id,
        account_id,
        json_extract_scalar(address_detail, '$.value') AS private_ip,
        json_extract_scalar(subnet_detail, '$.value') AS subnet_id,
        CAST(NULL AS VARCHAR) AS vpc_id
    FROM attached
),
facts AS (
    SELECT
        interface_id,
        max(account_id) AS account_id,
        max(private_ip) AS private_ip,
        max(subnet_id) AS subnet_id,
        max(vpc_id) AS vpc_id
    FROM told_facts
    GROUP BY interface_id
),
allocated AS (
    SELECT
        json_extract_scalar(response_elements, '$.allocationId') AS allocation_id,
        max(json_extract_scalar(response_elements, '$.publicIp')) AS public_ip
    FROM calls
    WHERE event_name = 'AllocateAddress'
    GROUP BY json_extract_scalar(response_elements, '$.allocationId')
),
associated AS (
    SELECT
        json_extract_scalar(request_parameters, '$.networkInterfaceId') AS interface_id,
        json_extract_scalar(request_parameters, '$.instanceId') AS instance_id,
        json_extract_scalar(request_parameters, '$.allocationId') AS allocation_id,
        json_extract_scalar(request_parameters, '$.publicIp') AS public_ip,
        event_time,
        event_id
    FROM calls
    WHERE event_name = 'AssociateAddress'
),
public_addresses AS (
    SELECT
        COALESCE(associated.interface_id, associated.instance_id) AS owner,
        COALESCE(associated.public_ip, allocated.public_ip) AS public_ip,
        row_number() OVER (
            PARTITION BY COALESCE(associated.interface_id, associated.instance_id) ORDER BY event_time DESC, event_id
        ) AS place
    FROM associated
    LEFT JOIN allocated ON allocated.allocation_id = associated.allocation_id
)
SELECT
    holders.interface_id,
    COALESCE(seen.account_id, facts.account_id) AS account_id,
    holders.workload_kind,
    COALESCE(holders.workload_id, any_workload_id) AS workload_id,
    COALESCE(any_task_arn, task_facts.task_arn) AS task_arn,
    COALESCE(any_definition_arn, task_facts.task_definition_arn) AS task_definition_arn,
    COALESCE(any_cluster, task_facts.cluster) AS cluster,
    COALESCE(any_service, task_facts.service) AS service,
    COALESCE(any_role, task_facts.override_role, task_roles.role) AS role,  -- of an instance, its profile
    COALESCE(facts.private_ip, seen.private_ip) AS private_ip,
    COALESCE(of_interface.public_ip, of_instance.public_ip) AS public_ip,  -- the last elastic one
    COALESCE(facts.subnet_id, seen.subnet_id) AS subnet_id,
    COALESCE(facts.vpc_id, seen.vpc_id) AS vpc_id,
    last_groups.security_groups,  -- the last that the trail shows; network/interface_groups has them all
    CASE
        WHEN turn = 1 THEN least(
            holder_first, COALESCE(seen.first_seen, holder_first), COALESCE(made_again.event_time, holder_first)
        )
        ELSE holder_first
    END AS first_seen,
    CASE
        WHEN turn_from_last = 1 THEN greatest(
            holder_last, COALESCE(seen.last_seen, holder_last), COALESCE(ended_at, holder_last)
        )
        ELSE holder_last
    END AS last_seen,
    next_seen,  -- as the next workload's: at one time before it, and not after last_seen, an interface is of one only
    told_by,
    -- beside a flow log's word, one that agrees
    COALESCE(holders.event_id, any_event_id, task_facts.event_id) AS event_id,
    made_again.event_id AS made_event_id,
    made_again.description,
    holders.interface_id || ' ' || COALESCE(any_ends, seen.ends) AS flow
FROM holders
LEFT JOIN seen ON seen.interface_id = holders.interface_id
LEFT JOIN facts ON facts.interface_id = holders.interface_id
LEFT JOIN made_again ON made_again.interface_id = holders.interface_id AND made_again.place = 1
LEFT JOIN ended ON ended.interface_id = holders.interface_id
LEFT JOIN last_groups ON last_groups.interface_id = holders.interface_id AND last_groups.place = 1
LEFT JOIN task_facts ON task_facts.task_id = holders.workload_id
LEFT JOIN task_roles
    ON task_roles.task_definition_arn = COALESCE(any_definition_arn, task_facts.task_definition_arn)
LEFT JOIN public_addresses AS of_interface
    ON of_interface.owner = holders.interface_id AND of_interface.place = 1
LEFT JOIN public_addresses AS of_instance ON of_instance.owner = holders.workload_id AND of_instance.place = 1
