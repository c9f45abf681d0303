-- title: Role of a running instance changed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.003, T1078.004]
-- pci: ["7.2.2", "10.2.1.5"]
-- why: An instance was given another role while it exists. Whoever has a shell on it then has the rights of that role,
--   so this is a way from a weak machine to strong rights.
-- response: Compare the rights of the new role with what the machine does. If nobody knows the change, put the former
--   role back and revoke the new role's sessions.
-- false_positives: an administrator who lets Systems Manager reach an old machine
-- blind_spots: another role put into the same instance profile, which is an event of IAM; roles given at launch
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.AssociateIamInstanceProfileRequest.InstanceId'),
        json_extract_scalar(request_parameters, '$.ReplaceIamInstanceProfileAssociationRequest.AssociationId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation')
