-- title: Secrets fetched in batches by filter, not by name
-- kind: match
-- severity: medium
-- attack: [T1555.006]
-- pci: ["7.2.6", "10.2.1.1"]
-- why: A program knows the names of its secrets. A batch call with a filter asks for whatever is there, which is what
--   somebody does who does not know the account.
-- response: Find out what the caller is. If it is not a known job, look at the GetSecretValue events of the same
--   session for the secrets it got, and change those.
-- false_positives: a tool that loads all secrets with a certain tag
-- blind_spots: batches that list the names, and reads one by one (secretsmanager.bulk_secret_reads)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'BatchGetSecretValue'
  AND COALESCE(json_format(json_extract(request_parameters, '$.secretIdList')), '[]') IN ('[]', 'null')
  AND json_extract(request_parameters, '$.filters') IS NOT NULL
  AND invoked_by IS NULL
