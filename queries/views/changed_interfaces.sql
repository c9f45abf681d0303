-- title: The interfaces that a change of the network concerned
-- about: >-
--   Each row of network_changes once for every interface that it concerned, as far as the logs tell: those that had
--   the security group then, those of the service's tasks, the interface itself, those in the subnet or the VPC of
--   the network ACL or route table. is_exact is false where all that is known is the VPC. A change of one port of
--   which no interface is known is there once without one: what happens at that port in its account can still be
--   looked at.
WITH placed AS (
    SELECT
        COALESCE(
            json_extract_scalar(response_elements, '$.networkAcl.networkAclId'),
            json_extract_scalar(response_elements, '$.routeTable.routeTableId')
        ) AS thing,
        COALESCE(
            json_extract_scalar(response_elements, '$.networkAcl.vpcId'),
            json_extract_scalar(response_elements, '$.routeTable.vpcId')
        ) AS place
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name IN ('CreateNetworkAcl', 'CreateRouteTable')
      AND outcome = 'ok'
    UNION
    SELECT
        json_extract_scalar(request_parameters, '$.routeTableId') AS thing,
        json_extract_scalar(request_parameters, '$.subnetId') AS place
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com' AND event_name = 'AssociateRouteTable' AND outcome = 'ok'
),
lying AS (
    SELECT interface_id, subnet_id AS place FROM workload_interfaces WHERE subnet_id IS NOT NULL
    UNION
    SELECT interface_id, vpc_id AS place FROM workload_interfaces WHERE vpc_id IS NOT NULL
),
concerned AS (
    SELECT
        'security_group' AS changed,
        group_id AS thing,
        CAST(NULL AS VARCHAR) AS target,
        interface_id,
        from_time,
        until_time,
        TRUE AS is_exact
    FROM interface_groups
    UNION ALL
    SELECT DISTINCT
        'deployment' AS changed,
        service AS thing,
        cluster AS target,
        interface_id,
        CAST(NULL AS TIMESTAMP) AS from_time,  -- the tasks before it and those that it brings
        CAST(NULL AS TIMESTAMP) AS until_time,
        TRUE AS is_exact
    FROM workload_interfaces
    WHERE service IS NOT NULL
    UNION ALL
    SELECT
        CASE WHEN placed.thing LIKE 'acl-%' THEN 'network_acl' ELSE 'route_table' END AS changed,
        placed.thing,
        CAST(NULL AS VARCHAR) AS target,
        lying.interface_id,
        CAST(NULL AS TIMESTAMP) AS from_time,
        CAST(NULL AS TIMESTAMP) AS until_time,
        placed.place LIKE 'subnet-%' AS is_exact
    FROM placed
    JOIN lying ON lying.place = placed.place
),
known AS (
    SELECT network_changes.*, concerned.interface_id, concerned.is_exact
    FROM network_changes
    JOIN concerned
        ON concerned.changed = network_changes.changed
        AND concerned.thing = network_changes.thing
        AND (concerned.target IS NULL OR concerned.target = network_changes.target)
        -- a task's interface gets its groups as it is made
        AND COALESCE(concerned.from_time, network_changes.first_event) <= network_changes.last_event
        AND COALESCE(concerned.until_time, network_changes.last_event) >= network_changes.first_event
    UNION ALL
    SELECT network_changes.*, thing AS interface_id, TRUE AS is_exact FROM network_changes WHERE changed = 'interface'
)
SELECT known.* FROM known
UNION ALL
SELECT network_changes.*, CAST(NULL AS VARCHAR) AS interface_id, FALSE AS is_exact
FROM network_changes
LEFT JOIN known ON known.event_id = network_changes.event_id AND known.account_id = network_changes.account_id
WHERE network_changes.from_port = network_changes.to_port AND known.event_id IS NULL
