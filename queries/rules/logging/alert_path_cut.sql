-- title: Way of security alerts to people cut
-- kind: match
-- severity: medium
-- attack: [T1562.001]
-- pci: ["10.7.2", "12.10.5"]
-- why: Findings and alarms reach people over an EventBridge rule or an SNS topic. One of these was switched off,
--   deleted or lost its receivers, so the next alert goes nowhere.
-- response: Put the rule, topic or subscription back, send a test alert through it, and look up by hand what was raised
--   in between.
-- false_positives: a way replaced by another one; a person who unsubscribes the own address
-- blind_spots: rules and topics whose names do not say what they are for; a pattern changed so that it fits nothing;
--   what stands behind a webhook
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.name'),
        json_extract_scalar(request_parameters, '$.rule'),
        json_extract_scalar(request_parameters, '$.topicArn'),
        json_extract_scalar(request_parameters, '$.subscriptionArn'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source IN ('events.amazonaws.com', 'sns.amazonaws.com')
  AND event_name IN ('DisableRule', 'DeleteRule', 'RemoveTargets', 'PutRule', 'DeleteTopic', 'Unsubscribe')
  AND (event_name <> 'PutRule' OR json_extract_scalar(request_parameters, '$.state') = 'DISABLED')
  AND hand <> 'service'
  AND regexp_like(
      lower(COALESCE(
          json_extract_scalar(request_parameters, '$.name'),
          json_extract_scalar(request_parameters, '$.rule'),
          json_extract_scalar(request_parameters, '$.topicArn'),
          json_extract_scalar(request_parameters, '$.subscriptionArn')
      )),
      'guard-?duty|security|sec-?hub|cloud-?trail|siem|soar|alert|alarm|incident|pager|finding|macie|inspector'
          || '|intrusion|threat|root-?(login|us|account)|compliance|audit'
  )
