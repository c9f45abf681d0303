-- title: Log no longer watched or passed on
-- kind: match
-- severity: medium
-- attack: [T1562.008]
-- pci: ["10.3.3", "10.4.1.1", "10.7.2"]
-- why: A log group lost the filter that counts events for an alarm, or the subscription that carries its lines to the
--   central log system. The log is still written, but nobody hears of what stands in it.
-- response: Put the filter or subscription back, and read the group for the time since then, which its own lines cover.
-- false_positives: a log group taken down with its application; a subscription moved to another target
-- blind_spots: a filter changed so that it fits nothing; a target that no longer takes what is sent
SELECT *
FROM cloudtrail_events
WHERE event_source = 'logs.amazonaws.com'
  AND event_name IN ('DeleteMetricFilter', 'DeleteSubscriptionFilter', 'DeleteAccountPolicy', 'DeleteDestination',
                     'DeleteDelivery')
  AND (
      event_name <> 'DeleteAccountPolicy'
      OR json_extract_scalar(request_parameters, '$.policyType') = 'SUBSCRIPTION_FILTER_POLICY'
  )
  AND hand <> 'service'
