-- title: Parameter overwritten by hand
-- kind: match
-- severity: low
-- attack: [T1565.001]
-- pci: ["8.6.3", "10.2.1.5", "10.2.1.7"]
-- why: A person gave a parameter another value. Programs and new hosts take addresses, image ids and passwords from
--   parameters without a question, so one value can send them to somebody else's system.
-- response: Ask the person. If they do not know of it, compare with the former version (GetParameterHistory), set that
--   again, and see what was started with the new value since.
-- false_positives: settings that are kept by hand
-- blind_spots: the value, which AWS hides; values set by programs and pipelines
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name = 'PutParameter'
  AND hand = 'person'
  AND json_extract_scalar(request_parameters, '$.overwrite') = 'true'
