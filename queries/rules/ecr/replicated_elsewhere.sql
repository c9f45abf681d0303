-- title: Images copied to another account's registry
-- kind: match
-- severity: high
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own that images may be copied to}
-- attack: [T1537]
-- pci: ["7.2.1", "7.3.1"]
-- why: Every image pushed from now on is also written to the registry of another AWS account, by ECR itself. The code
--   and the secrets in your images leave with it, day after day, without another call by whoever set it up.
-- response: Check that the account is yours. If not, remove the rule, change every secret that is built into an image,
--   and find out what else the principal did.
-- false_positives: copies for a production or disaster recovery account of your own; name it in known_accounts
-- blind_spots: what was copied in the meantime; copies made by pulling and pushing
SELECT *, COALESCE(resource_arn, 'registry ' || account_id) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'PutReplicationConfiguration'
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.replicationConfiguration.rules') AS ARRAY(JSON)),
      rule -> any_match(
          TRY_CAST(json_extract(rule, '$.destinations') AS ARRAY(JSON)),
          destination -> json_extract_scalar(destination, '$.registryId') <> account_id
              AND json_extract_scalar(destination, '$.registryId') NOT IN (:known_accounts)
      )
  )
