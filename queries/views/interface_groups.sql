-- title: Security groups of interfaces, as far as the trail shows
-- about: >-
--   One row per interface, security group and span in which it had the group: from the event that says so, its proof, to
--   the next that says otherwise (last_seen is NULL: none does). Groups of interfaces that were made before the trail
--   begins, and never changed, are not known.
WITH said AS (
    SELECT
        account_id,
        event_time,
        event_id,
        COALESCE(
            json_extract_scalar(response_elements, '$.networkInterface.networkInterfaceId'),
            json_extract_scalar(request_parameters, '$.networkInterfaceId')
        ) AS interface_id,
        COALESCE(
            TRY_CAST(json_extract(response_elements, '$.networkInterface.groupSet.items') AS ARRAY(JSON)),
            TRY_CAST(json_extract(request_parameters, '$.groupSet.items') AS ARRAY(JSON))
        ) AS groups_said
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name IN ('CreateNetworkInterface', 'ModifyNetworkInterfaceAttribute')
      AND outcome = 'ok'
),
instances AS (
    SELECT account_id, event_time, event_id, instance
    FROM (
        SELECT
            account_id,
            event_time,
            event_id,
            TRY_CAST(json_extract(response_elements, '$.instancesSet.items') AS ARRAY(JSON)) AS items
        FROM cloudtrail_events
        WHERE event_source = 'ec2.amazonaws.com' AND event_name = 'RunInstances' AND outcome = 'ok'
    ) AS launches
    CROSS JOIN UNNEST(items) AS i(instance)
),
launched AS (
    SELECT account_id, event_time, event_id, interface
    FROM (
        SELECT
            account_id,
            event_time,
            event_id,
            TRY_CAST(json_extract(instance, '$.networkInterfaceSet.items') AS ARRAY(JSON)) AS items
        FROM instances
    ) AS lists
    CROSS JOIN UNNEST(items) AS n(interface)
),
told AS (
    SELECT account_id, event_time, event_id, interface_id, groups_said FROM said WHERE groups_said IS NOT NULL
    UNION ALL
    SELECT
        account_id,
        event_time,
        event_id,
        json_extract_scalar(interface, '$.networkInterfaceId') AS interface_id,
        TRY_CAST(json_extract(interface, '$.groupSet.items') AS ARRAY(JSON)) AS groups_said
    FROM launched
),
spans AS (
    SELECT
        told.*,
        lead(event_time) OVER (PARTITION BY interface_id ORDER BY event_time, event_id) AS last_seen
    FROM told
    WHERE interface_id IS NOT NULL AND groups_said IS NOT NULL
)
SELECT
    interface_id,
    account_id,
    json_extract_scalar(said_group, '$.groupId') AS group_id,
    event_time AS first_seen,
    last_seen,
    event_id
FROM spans
CROSS JOIN UNNEST(groups_said) AS g(said_group)
