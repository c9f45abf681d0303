-- title: Alarms deleted, muted or set to fine
-- kind: match
-- severity: medium
-- attack: [T1562.001]
-- pci: ["10.7.2", "12.10.5"]
-- why: A CloudWatch alarm was deleted, lost its actions, or was set by hand to another state. Whoever it used to wake
--   sleeps through what comes next.
-- response: Switch the actions on again, or make the alarm anew, and look at its metric since then. Ask the principal.
-- false_positives: alarms of something that was taken down; planned maintenance; an alarm tested by setting its state
-- blind_spots: an alarm's threshold or target changed with PutMetricAlarm
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.alarmNames[0]'),
        json_extract_scalar(request_parameters, '$.alarmName'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'monitoring.amazonaws.com'
  AND event_name IN ('DeleteAlarms', 'DisableAlarmActions', 'SetAlarmState')
  AND (event_name <> 'SetAlarmState' OR json_extract_scalar(request_parameters, '$.stateValue') <> 'ALARM')
  AND hand <> 'service'
  -- auto scaling makes and deletes alarms all day, under the name of whoever set it up
  AND NOT regexp_like(COALESCE(json_extract_scalar(request_parameters, '$.alarmNames[0]'), ''), '^TargetTracking-')
