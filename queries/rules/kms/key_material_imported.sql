-- title: Encryption key made of material from outside AWS
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1486]
-- pci: ["3.6.1", "3.7.1", "3.7.2", "10.2.1.7"]
-- why: Whoever brings the material of a key can delete it within a moment and is the only one who can bring it back.
--   Blackmailers encrypt buckets, disks and secrets with such keys.
-- response: Ask who keeps the material outside AWS. If nobody knows, look for things encrypted with this key since
--   (Encrypt, GenerateDataKey) and copy them out while the key still works.
-- false_positives: companies that make their keys themselves, which few do and always the same way
-- blind_spots: keys of another account used here (secretsmanager.secret_key_other_account), and keys that a customer
--   gives along with each call to S3
SELECT *
FROM cloudtrail_events
WHERE event_source = 'kms.amazonaws.com'
  AND event_name IN ('ImportKeyMaterial', 'CreateKey')
  AND (
      event_name = 'ImportKeyMaterial'
      OR json_extract_scalar(request_parameters, '$.origin') IN ('EXTERNAL', 'EXTERNAL_KEY_STORE')
  )
