-- title: Data encrypted with a key from outside the account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of your own whose keys may encrypt data}
-- attack: [T1486]
-- pci: ["3.6.1", "3.7.6", "10.2.1.7"]
-- why: Objects were written, or a bucket was set to write them, with a key that this account does not hold, either of
--   another AWS account or sent along with the call. This is how data in S3 is taken for ransom.
-- response: Stop the principal at once. Look for former versions of the objects, and copy them where the principal
--   cannot reach them.
-- false_positives: a central account for keys (name it in known_accounts); software that sends its own key by design
-- blind_spots: objects, unless data events of S3 are in the trail; keys named by id or alias; data encrypted before
--   upload
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.bucketName'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 's3.amazonaws.com'
  AND event_name IN ('PutObject', 'CopyObject', 'CreateMultipartUpload', 'PutBucketEncryption')
  AND (
      regexp_like(request_parameters, '"x-amz-server-side-encryption-customer-algorithm"\s*:')
      OR any_match(
          regexp_extract_all(
              request_parameters,
              '"(?:x-amz-server-side-encryption-aws-kms-key-id|KMSMasterKeyID)"\s*:\s*\[?\s*'
                  || '"arn:[^:"]*:kms:[^:"]*:([0-9]{12}):',
              1
          ),
          account -> account <> account_id AND account NOT IN (:known_accounts)
      )
  )
