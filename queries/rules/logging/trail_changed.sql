-- title: CloudTrail settings changed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1562.008]
-- pci: ["10.2.1.6", "10.3.2"]
-- cis: ["3.0/4.5", "7.0/5.5"]
-- why: UpdateTrail decides where the log goes, with which key, from which regions, and whether its files are signed. A
--   small change here can make a log unreadable, incomplete or worthless as proof.
-- response: Compare bucket, key, regions and file validation with the approved settings and set them back if they
--   differ.
-- false_positives: planned changes by the team that owns logging
-- blind_spots: changes of the bucket's own policy or lifecycle
SELECT *
FROM cloudtrail_events
WHERE event_source = 'cloudtrail.amazonaws.com'
  AND event_name = 'UpdateTrail'
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'
