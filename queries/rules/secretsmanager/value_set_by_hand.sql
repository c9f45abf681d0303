-- title: Value of a secret replaced by hand
-- kind: match
-- severity: low
-- attack: [T1565.001]
-- pci: ["8.3.9", "8.6.3", "10.2.1.5"]
-- why: A person gave a secret another value, or made an older one current again. Programs take it without a
--   question, so it can lock them out or send them to somebody else's system.
-- response: Ask the person. If they do not know of it, make the former version current again, and check which hosts and
--   accounts the new value names.
-- false_positives: secrets that are kept by hand, such as keys of vendors
-- blind_spots: the value, which AWS never logs; values set by programs and pipelines
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name IN ('PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage')
  AND hand = 'person'
  AND (
      event_name = 'PutSecretValue'
      OR (  -- with a new value there is a new version
          event_name = 'UpdateSecret'
          AND json_extract_scalar(response_elements, '$.versionId') IS NOT NULL
      )
      OR json_extract_scalar(request_parameters, '$.versionStage') = 'AWSCURRENT'
  )
