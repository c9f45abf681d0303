-- title: Threat detection or configuration record switched off
-- kind: match
-- severity: high
-- attack: [T1562.001]
-- pci: ["10.7.2", "11.5.1"]
-- cis: ["3.0/4.9", "7.0/5.9"]
-- why: GuardDuty, Security Hub or AWS Config stopped watching the account. They are the alarms that would have told
--   about what comes next.
-- response: Switch the service on again and take the time until then as unobserved. Look into the principal.
-- false_positives: moving the service to a central account; closing down a test account
-- blind_spots: filters that keep findings from being seen (logging.findings_hidden_by_rule) and lists of trusted
--   addresses (logging.detector_told_to_trust)
SELECT *
FROM cloudtrail_events
WHERE event_name IN (
    'DeleteDetector', 'StopMonitoringMembers', 'DisassociateFromMasterAccount', 'DisassociateFromAdministratorAccount',
    'UpdateDetector', 'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel',
    'DisableSecurityHub'
)
  AND (
    event_source = 'guardduty.amazonaws.com'
    AND (
        event_name IN ('DeleteDetector', 'StopMonitoringMembers', 'DisassociateFromMasterAccount',
                       'DisassociateFromAdministratorAccount')
        OR (event_name = 'UpdateDetector' AND json_extract_scalar(request_parameters, '$.enable') = 'false')
    )
    OR event_source = 'config.amazonaws.com'
    AND event_name IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel')
    OR event_source = 'securityhub.amazonaws.com'
    AND event_name IN ('DisableSecurityHub', 'DisassociateFromAdministratorAccount')
)
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
