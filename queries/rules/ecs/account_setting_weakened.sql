-- title: Protective setting of ECS switched off
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.001]
-- pci: ["2.2.6", "10.7.2", "11.5.1"]
-- why: A setting that watches or protects all tasks of the account was switched off, be it runtime monitoring, metrics,
--   the check of who may tag what is made, or approved cryptography on Fargate. New tasks run without it.
-- response: Switch it on again for the account, and ask who wanted it off. Then look at what was started meanwhile.
-- false_positives: metrics switched off to save money
-- blind_spots: GuardDuty's own switch (logging.detection_service_off); settings of one cluster (UpdateClusterSettings)
SELECT *,
    json_extract_scalar(request_parameters, '$.name') AS resource
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND json_extract_scalar(request_parameters, '$.name') IN (
      'guardDutyActivate', 'containerInsights', 'tagResourceAuthorization', 'fargateFIPSMode'
  )
  AND (
      event_name = 'DeleteAccountSetting'
      OR event_name IN ('PutAccountSetting', 'PutAccountSettingDefault')
      AND json_extract_scalar(request_parameters, '$.value') IN ('off', 'disabled')
  )
