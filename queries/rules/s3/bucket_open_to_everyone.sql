-- title: Bucket opened to everyone
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1530]
-- pci: ["1.4.4", "7.2.1", "7.3.1"]
-- why: The policy or access list of this bucket, or of an object in it, lets in anybody without a condition. Open
--   buckets are found by scanners within hours, and what was copied cannot be called back.
-- response: Block public access of the bucket at once. See in its access logs who came, and treat what it holds as
--   known to others.
-- false_positives: a bucket that holds a public web site
-- blind_spots: a condition that is always true; whether a block of public access makes the policy void; a policy that
--   is longer than the log keeps
SELECT *
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutBucketPolicy', 'PutBucketAcl', 'PutObjectAcl', 'CreateBucket')
  AND (
      (
          event_name <> 'PutBucketPolicy'
          AND regexp_like(
              request_parameters,
              '"x-amz-acl"\s*:\s*\[?\s*"(public|authenticated)-read|groups/global/(AllUsers|AuthenticatedUsers)'
          )
      )
      OR any_match(
          ARRAY[
              json_extract(
                  lower(COALESCE(
                      json_extract_scalar(request_parameters, '$.bucketPolicy'),
                      json_format(json_extract(request_parameters, '$.bucketPolicy'))
                  )),
                  '$.statement'
              )
          ],
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
  )
