-- title: Calls by what they have that a flow record may have too
-- about: >-
--   One row per principal and what its calls leave to be found again. kind and shared say what that is: address, the
--   public address they came from; task or interface, the ids that they name or, of a task, that their session bears;
--   endpoint, the private address they came from through a VPC endpoint. joined_by is what a flow record has of it:
--   of an endpoint the interface that had the address within an hour of the calls, and is_certain whether no other
--   had it and the calls lie within the time that it is known to have had it. session_name is NULL where there were
--   several.
WITH named AS (
    SELECT
        principal_arn,
        session_name,
        account_id,
        event_name,
        event_time,
        event_id,
        outcome,
        array_distinct(regexp_extract_all(
            -- a task's id is the session name of its roles, and stands in ARNs and parameters
            concat_ws(
                ' ',
                CASE WHEN length(session_name) IN (32, 36) THEN session_name END,
                CASE
                    WHEN service = 'ec2'
                        OR service = 'ecs'
                        AND (event_name LIKE '%Task%' OR event_name = 'ExecuteCommand')
                        AND event_name NOT LIKE '%TaskDefinition%'
                        AND event_name NOT LIKE 'Submit%'  -- agents reporting
                    THEN concat_ws(' ', request_parameters, response_elements)
                END
            ),
            '\beni-[0-9a-f]{8,17}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b'
        )) AS names
    FROM cloudtrail_events
    WHERE service IN ('ec2', 'ecs') OR length(session_name) IN (32, 36)
),
traces AS (
    SELECT
        'address' AS kind,
        source_ip AS shared,
        principal_arn,
        session_name,
        account_id,
        event_name,
        event_time,
        event_id,
        outcome
    FROM cloudtrail_events
    WHERE regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
      AND NOT regexp_like(
          source_ip,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
    UNION ALL
    SELECT
        CASE WHEN name LIKE 'eni-%' THEN 'interface' ELSE 'task' END AS kind,
        name AS shared,
        principal_arn,
        session_name,
        account_id,
        event_name,
        event_time,
        event_id,
        outcome
    FROM named
    CROSS JOIN UNNEST(names) AS n(name)
),
inside_by_hour AS (
    SELECT
        source_ip,
        principal_arn,
        account_id,
        min(session_name) AS first_session,
        max(session_name) AS last_session,
        count(*) AS event_count,
        count_if(outcome = 'denied') AS denied_count,
        array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
        min(event_time) AS first_event,
        max(event_time) AS last_event,
        min(event_id) AS event_id
    FROM cloudtrail_events
    WHERE vpc_endpoint_id LIKE 'vpce-%'
      AND regexp_like(
          source_ip,
          '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
      )
    GROUP BY source_ip, principal_arn, account_id, date_trunc('hour', event_time)
),
addressed AS (
    SELECT
        account_id,
        private_ip,
        interface_id,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM workload_interfaces
    WHERE private_ip IS NOT NULL
    GROUP BY account_id, private_ip, interface_id
),
inside AS (
    SELECT
        inside_by_hour.*,
        interface_id,
        COALESCE(first_event >= first_seen, FALSE) AND COALESCE(last_event <= last_seen, TRUE)
            AND count(*) OVER (PARTITION BY source_ip, principal_arn, inside_by_hour.account_id, event_id) = 1
            AS is_certain
    FROM inside_by_hour
    JOIN addressed
        ON addressed.private_ip = inside_by_hour.source_ip
        AND addressed.account_id = inside_by_hour.account_id
        AND COALESCE(date_add('hour', -1, first_seen), first_event) <= last_event
        AND COALESCE(date_add('hour', 1, last_seen), last_event) >= first_event
)
SELECT
    kind,
    shared,
    shared AS joined_by,
    principal_arn,
    CASE WHEN min(session_name) = max(session_name) THEN min(session_name) END AS session_name,
    account_id,
    count(*) AS event_count,
    count_if(outcome = 'denied') AS denied_count,
    array_join(slice(array_sort(array_agg(DISTINCT event_name)), 1, 10), ', ') AS event_names,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    min(event_id) AS event_id,
    TRUE AS is_certain
FROM traces
GROUP BY kind, shared, principal_arn, account_id
UNION ALL
SELECT
    'endpoint' AS kind,
    source_ip AS shared,
    interface_id AS joined_by,
    principal_arn,
    CASE WHEN min(first_session) = max(last_session) THEN min(first_session) END AS session_name,
    account_id,
    sum(event_count) AS event_count,
    sum(denied_count) AS denied_count,
    array_join(slice(array_sort(array_distinct(flatten(array_agg(event_names)))), 1, 10), ', ') AS event_names,
    min(first_event) AS first_event,
    max(last_event) AS last_event,
    min(event_id) AS event_id,
    bool_and(is_certain) AS is_certain
FROM inside
GROUP BY source_ip, interface_id, principal_arn, account_id
