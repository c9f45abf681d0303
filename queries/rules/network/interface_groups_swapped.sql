-- title: Security groups of a running interface exchanged
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.2.8", "1.3.1"]
-- why: A machine got other security groups while it runs. That opens it as well as a new rule would, but no group
--   changes, so those who watch the groups see nothing.
-- response: Compare the interface's groups with the deployment's, and look in the flow records for what was let through
--   since. Ask the principal.
-- false_positives: a machine put in quarantine, which works the same way; Kubernetes nodes that give groups to pods
-- blind_spots: whether the new groups let in more or less than the old ones; groups chosen when the interface was made
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.networkInterfaceId'),
        json_extract_scalar(request_parameters, '$.instanceId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyNetworkInterfaceAttribute', 'ModifyInstanceAttribute')
  AND regexp_like(json_format(json_extract(request_parameters, '$.groupSet')), 'sg-')
  AND hand <> 'service'
