-- title: Secret refused by its encryption key
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   minutes: {type: bigint, default: 5, about: between a read of a secret and a refused decryption}
-- attack: [T1555.006]
-- pci: ["3.6.1", "7.3.1", "10.2.1.4"]
-- why: This principal may ask for the secret but may not use the key that the value is encrypted with, so the last lock
--   held. Somebody whose rights to secrets are wide and were not meant for this one is found in this way.
-- response: Ask the owner of the principal why it reads that secret. If it should not, take away its right to the
--   secret too, and look for the secrets under other keys that it did read.
-- false_positives: a new application, or a key that was changed, whose policy nobody has adapted yet
-- blind_spots: secrets under the AWS managed key, which everybody of the account may use; decryption that was refused
--   for another reason within the same minutes counts here
WITH calls AS (
    SELECT
        principal_arn,
        account_id,
        event_time,
        event_id,
        source_ip,
        CASE WHEN invoked_by IS NULL THEN hand ELSE 'unknown' END AS hand,  -- for whom it called
        event_name = 'GetSecretValue' AS is_read,
        outcome = 'denied'
            AND (event_name = 'Decrypt' OR regexp_like(error_message, 'Access to KMS|kms:Decrypt')) AS is_refused
    FROM cloudtrail_events
    WHERE event_source IN ('secretsmanager.amazonaws.com', 'kms.amazonaws.com')
      AND event_name IN ('GetSecretValue', 'Decrypt')
      AND (event_name = 'GetSecretValue' OR outcome = 'denied')
      AND COALESCE(invoked_by, 'secretsmanager.amazonaws.com') = 'secretsmanager.amazonaws.com'
      AND principal_arn IS NOT NULL
),
surrounded AS (
    SELECT
        *,
        max(CASE WHEN is_read THEN event_time END)
            OVER (PARTITION BY principal_arn, account_id ORDER BY event_time, event_id) AS read_before,
        min(CASE WHEN is_read THEN event_time END)
            OVER (PARTITION BY principal_arn, account_id ORDER BY event_time DESC, event_id DESC) AS read_after
    FROM calls
)
SELECT
    principal_arn,
    account_id,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count(*) AS failed_count,
    'denied' AS outcome,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM surrounded
WHERE is_refused
  AND (
      date_add('minute', :minutes, read_before) >= event_time
      OR date_add('minute', :minutes, event_time) >= read_after
  )
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
