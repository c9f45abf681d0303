-- title: Guard rail of the organization taken away
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1484, T1562.001]
-- pci: ["7.2.1", "10.2.1.5", "10.2.1.7"]
-- why: A policy of the organization was taken off accounts, deleted, or its kind switched off. What it forbade, to
--   switch off logs for instance, is allowed in these accounts now.
-- response: Attach the policy again if the cloud team does not know of it. Look in the accounts it covered for what was
--   done meanwhile.
-- false_positives: the cloud team replacing a policy by a newer one
-- blind_spots: what kind of policy it was, which the log does not say; a text that was emptied with UpdatePolicy;
--   accounts moved to where no policy covers them
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.policyId'),
        json_extract_scalar(request_parameters, '$.policyType'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'organizations.amazonaws.com'
  AND event_name IN ('DetachPolicy', 'DeletePolicy', 'DisablePolicyType')
