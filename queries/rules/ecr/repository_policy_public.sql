-- title: Image repository opened to every AWS account
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1537, T1525]
-- pci: ["7.2.1", "7.3.1"]
-- why: The policy of this repository, or of the whole registry, accepts any AWS identity without a condition. Strangers
--   can copy your images and, if the policy allows pushing, replace what your tasks run.
-- response: Name the accounts that need the images. If pushing was allowed, compare the digests of running tasks with
--   those your pipeline built.
-- false_positives: an image meant for the public; ECR Public is the place for those
-- blind_spots: a policy that names a foreign account; a condition that is always true
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name IN ('SetRepositoryPolicy', 'PutRegistryPolicy')
  AND any_match(
      ARRAY[json_extract(lower(json_extract_scalar(request_parameters, '$.policyText')), '$.statement')],
      statements -> any_match(
          COALESCE(TRY_CAST(statements AS ARRAY(JSON)), ARRAY[statements]),
          statement -> json_extract_scalar(statement, '$.effect') = 'allow'
              AND COALESCE(json_format(json_extract(statement, '$.condition')), '{}') = '{}'
              AND (
                  json_extract_scalar(statement, '$.principal') = '*'
                  OR regexp_like(json_format(json_extract(statement, '$.principal.aws')), '"\*"')
                  OR json_extract(statement, '$.notprincipal') IS NOT NULL
              )
      )
  )
