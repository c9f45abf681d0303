-- title: Password policy removed or weakened
-- kind: match
-- severity: medium
-- params:
--   min_length: {type: bigint, default: 12, about: shortest password that a policy may allow}
-- attack: [T1556, T1098]
-- pci: ["8.3.6", "8.3.7", "8.3.9", "2.2.1"]
-- why: From now on IAM users may choose short or simple passwords, which are guessed. It also shows that somebody has
--   rights over the whole account's sign-in.
-- response: Set the policy again (12 characters, letters and digits, for PCI DSS) and ask the principal why it was
--   changed. Look at passwords that were changed in between.
-- false_positives: an account without IAM users, tidied up
-- blind_spots: what the policy was before; rules for the kinds of characters, which are not judged
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy')
  AND (
      event_name = 'DeleteAccountPasswordPolicy'
      -- what a request leaves out goes back to its default, which is 6; a refusal carries no request at all
      OR (
          COALESCE(request_parameters, 'null') LIKE '{%'
          AND COALESCE(TRY_CAST(json_extract_scalar(request_parameters, '$.minimumPasswordLength') AS BIGINT), 6)
              < :min_length
      )
  )
