-- title: Network ACL entry deleted, or a subnet's ACL exchanged
-- kind: match
-- severity: low
-- attack: [T1562.007]
-- pci: ["1.2.8", "1.3.1", "1.3.2"]
-- cis: ["3.0/4.11", "7.0/5.11"]
-- why: Entries of a network ACL are where a whole subnet is closed to addresses that were found to be hostile. Without
--   the entry, or with another ACL in its place, that wall is gone.
-- response: See what the entry denied or allowed (the trail of its creation tells), and put it back if nobody meant to
--   take it away.
-- false_positives: a VPC taken down or rebuilt
-- blind_spots: whether the entry denied or allowed something, which the log of its deletion does not say
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.networkAclId'),
        json_extract_scalar(request_parameters, '$.associationId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('DeleteNetworkAclEntry', 'ReplaceNetworkAclAssociation')
  AND invoked_by IS NULL
