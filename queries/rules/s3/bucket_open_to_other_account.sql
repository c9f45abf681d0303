-- title: Bucket opened or copied to another AWS account
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own or of vendors that may use buckets}
-- attack: [T1537, T1530]
-- pci: ["7.2.1", "7.2.2", "10.2.1.7"]
-- why: Another AWS account may now use this bucket, or gets a copy of every new object. What is copied there cannot be
--   called back, and passes no network that is watched.
-- response: Check that the account belongs to you or to a vendor under contract. Otherwise take it out of the policy or
--   the replication, and see in the bucket's access logs what it read.
-- false_positives: accounts through which AWS delivers the logs of load balancers; buckets for logs or backups of the
--   organization; name their accounts in known_accounts
-- blind_spots: replication that does not name the account of its destination; users named by canonical id
SELECT *
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutBucketPolicy', 'PutBucketReplication')
  AND (
      any_match(
          regexp_extract_all(
              json_format(json_extract(request_parameters, '$.ReplicationConfiguration')),
              '"Account"\s*:\s*"([0-9]{12})"',
              1
          ),
          account -> account <> account_id AND account NOT IN (:known_accounts)
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
  )
