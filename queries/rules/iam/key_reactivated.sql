-- title: Access key switched on again
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.001, T1078.004]
-- pci: ["8.2.5", "8.2.6", "8.6.1", "10.2.1.5"]
-- why: A key that had been switched off, perhaps because it had leaked or its owner had left, works again. Old keys lie
--   in old places, and nobody watches them.
-- response: Find out why the key was off. If nobody needs it, delete it rather than deactivate it, and read what it did
--   since it was switched on.
-- false_positives: a key switched off to see whether anything still used it
-- blind_spots: why and when the key was switched off, if that was before the window
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'UpdateAccessKey'
  AND json_extract_scalar(request_parameters, '$.status') = 'Active'
