-- title: Image repository opened to another AWS account
-- kind: match
-- severity: medium
-- yields_to: [ecr.repository_policy_public]
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own or of vendors that may be named}
-- attack: [T1537, T1525]
-- pci: ["7.2.1", "7.3.1"]
-- why: Identities of another AWS account may now use this repository, or the whole registry. They can copy your images
--   and, if the policy allows pushing, replace what your tasks run.
-- response: Check that the account belongs to you or to a vendor under contract, and that it may only pull. Otherwise
--   take it out of the policy, and read what it pulled or pushed since.
-- false_positives: a build account that shares its images with the others; name those in known_accounts
-- blind_spots: accounts that only a condition names; organizations; accounts hidden behind a principal's unique id
SELECT *, COALESCE(resource_arn, 'registry ' || account_id) AS resource
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name IN ('SetRepositoryPolicy', 'PutRegistryPolicy')
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.policyText')), '$.statement')],
      statements -> any_match(
          COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
          statement -> json_extract_scalar(statement, '$.effect') = 'allow'
              AND any_match(
                  regexp_extract_all(
                      json_format(json_extract(statement, '$.principal.aws')),
                      '"(?:arn:[^:"]*:(?:iam|sts)::)?([0-9]{12})[":]',
                      1
                  ),
                  account -> account <> account_id AND account NOT IN (:known_accounts)
              )
      )
  )
