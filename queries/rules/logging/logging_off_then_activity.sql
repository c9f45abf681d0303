-- title: Log switched off, and changes made right after
-- kind: aggregate
-- severity: critical
-- reads: [cloudtrail_events]
-- params:
--   within_minutes: {type: bigint, default: 60, about: minutes after the log was switched off}
--   min_deeds: {type: bigint, default: 3, about: changes or attempts in that time}
-- attack: [T1562.008, T1562.001]
-- pci: ["10.2.1.6", "10.7.2", "10.2.1.2", "12.10.5"]
-- why: One principal switched off a trail, a recorder or a detector, and went on to change other things within the
--   hour. What it did in the dark is what it switched the light off for.
-- response: Stop the principal (key, sessions, console), switch the log on again, and undo the changes listed as
--   evidence after reading each of them. Take for granted that there were more.
-- false_positives: an account that is taken down, log first
-- blind_spots: changes that no other trail recorded, so that only those show that another trail, the event history or
--   another region kept; changes made under another name
WITH switched AS (
    SELECT principal_arn, account_id, event_time, event_id
    FROM cloudtrail_events
    WHERE event_name IN (
        'StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion', 'PutEventSelectors',
        'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDetector', 'UpdateDetector'
    )
      AND outcome = 'ok'
      AND (
          event_source = 'cloudtrail.amazonaws.com'
          AND (
              event_name <> 'PutEventSelectors'
              OR any_match(
                  TRY_CAST(json_extract(request_parameters, '$.eventSelectors') AS ARRAY(JSON)),
                  selector -> json_extract_scalar(selector, '$.includeManagementEvents') = 'false'
                      OR json_extract_scalar(selector, '$.readWriteType') = 'ReadOnly'
              )
          )
          OR event_source = 'config.amazonaws.com'
          OR event_source = 'guardduty.amazonaws.com'
          AND (
              event_name = 'DeleteDetector'
              OR json_extract_scalar(request_parameters, '$.enable') = 'false'
          )
      )
),
deeds AS (
    SELECT
        events.principal_arn,
        events.account_id,
        events.event_time,
        events.event_id,
        events.source_ip,
        events.hand,
        events.outcome,
        max(CASE WHEN events.event_id = switched.event_id THEN 1 ELSE 0 END) AS is_switch
    FROM cloudtrail_events AS events
    JOIN switched
        ON switched.principal_arn = events.principal_arn
        AND switched.account_id = events.account_id
        AND events.event_time >= switched.event_time
        AND events.event_time < date_add('minute', :within_minutes, switched.event_time)
    WHERE events.event_id = switched.event_id
        OR (
            COALESCE(events.read_only, FALSE) = FALSE
            AND COALESCE(events.event_category, 'Management') <> 'Data'
            AND events.event_source NOT IN (
                'cloudtrail.amazonaws.com', 'config.amazonaws.com', 'guardduty.amazonaws.com', 'signin.amazonaws.com'
            )
        )
    GROUP BY
        events.principal_arn, events.account_id, events.event_time, events.event_id, events.source_ip, events.hand,
        events.outcome
)
SELECT
    principal_arn,
    account_id,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count,
    'ok' AS outcome,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM deeds
GROUP BY principal_arn, account_id
HAVING sum(1 - is_switch) >= :min_deeds
ORDER BY principal_arn, account_id
