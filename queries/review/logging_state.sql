-- title: Trails and flow logs started, stopped and changed
-- about: Calls that make, stop, change or delete what records. The answers of calls that only look are not in the log,
--   so a trail that nobody touched in the window is not here.
-- reads: [cloudtrail_events]
SELECT
    event_time,
    event_name,
    COALESCE(
        NULLIF(json_extract_scalar(request_parameters, '$.name'), ''),
        NULLIF(json_extract_scalar(request_parameters, '$.trailName'), ''),
        NULLIF(json_extract_scalar(request_parameters, '$.eventDataStore'), ''),
        json_extract_scalar(request_parameters, '$.DeleteFlowLogsRequest.FlowLogId.content'),
        json_extract_scalar(request_parameters, '$.CreateFlowLogsRequest.ResourceId.content'),
        resource_arn
    ) AS target,
    CASE json_extract_scalar(request_parameters, '$.isMultiRegionTrail') WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE
    END AS all_regions,
    CASE json_extract_scalar(request_parameters, '$.enableLogFileValidation')
        WHEN 'true' THEN TRUE
        WHEN 'false' THEN FALSE
    END AS log_validation,
    json_extract_scalar(request_parameters, '$.CreateFlowLogsRequest.TrafficType') AS traffic_type,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    aws_region,
    event_id
FROM cloudtrail_events
WHERE (
    event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN (
        'CreateTrail', 'UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging', 'PutEventSelectors',
        'CreateEventDataStore', 'UpdateEventDataStore', 'DeleteEventDataStore', 'StartEventDataStoreIngestion',
        'StopEventDataStoreIngestion'
    )
) OR (
    event_source = 'ec2.amazonaws.com'
    AND event_name IN ('CreateFlowLogs', 'DeleteFlowLogs')
)
ORDER BY event_time, event_id, account_id
