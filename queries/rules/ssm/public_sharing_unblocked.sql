-- title: Block on public Systems Manager documents lifted
-- kind: match
-- severity: medium
-- attack: [T1562.001]
-- pci: ["7.2.1", "10.2.1.7"]
-- why: The account no longer stops anybody from opening Systems Manager documents to the world. It is the step before a
--   document is made public.
-- response: Switch the block on again, and look for documents that were shared since (ssm.document_public).
-- false_positives: none known where nobody publishes documents
-- blind_spots: accounts in which the block was never on
SELECT *,
    json_extract_scalar(request_parameters, '$.settingId') AS resource
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name IN ('UpdateServiceSetting', 'ResetServiceSetting')
  AND json_extract_scalar(request_parameters, '$.settingId') LIKE '%ssm/documents/console/public-sharing-permission'
  AND (
      event_name = 'ResetServiceSetting'  -- out of the box, sharing is allowed
      OR lower(json_extract_scalar(request_parameters, '$.settingValue')) = 'enable'
  )
