-- title: Network ACL lets the internet in
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   ports:
--     type: array(bigint)
--     default: [22, 23, 445, 1433, 3306, 3389, 5432, 5985, 5986, 6379, 9200, 27017]
--     about: ports of administration and databases, which no ACL should open to everyone
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.3.1", "1.4.2"]
-- cis: ["3.0/4.11", "7.0/5.11"]
-- why: An entry lets every address in the world through a subnet's outer wall, on all ports or on one of administration
--   or a database. What stands behind it is now only as closed as its own security groups.
-- response: Delete the entry or limit it. List the subnet's interfaces whose security groups are open as well.
-- false_positives: subnets that rely on security groups alone, as the default ACL does
-- blind_spots: ACLs that were open before, or are the default one; a lower-numbered entry that denies the same
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.networkAclId'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry')
  AND json_extract_scalar(request_parameters, '$.ruleAction') = 'allow'
  AND json_extract_scalar(request_parameters, '$.egress') = 'false'
  AND (
      json_extract_scalar(request_parameters, '$.cidrBlock') LIKE '%/0'
      OR json_extract_scalar(request_parameters, '$.ipv6CidrBlock') LIKE '%/0'
  )
  AND (
      json_extract_scalar(request_parameters, '$.aclProtocol') = '-1'
      OR any_match(
          :ports,
          port -> port BETWEEN TRY_CAST(json_extract_scalar(request_parameters, '$.portRange.from') AS BIGINT)
              AND TRY_CAST(json_extract_scalar(request_parameters, '$.portRange.to') AS BIGINT)
      )
  )
