-- title: A principal used an AI model for the first time
-- kind: first_seen
-- severity: medium
-- attack: [T1496.004]
-- pci: ["10.2.1.2", "10.4.1"]
-- why: This principal did not use this model before. Stolen keys are used to run costly models at the owner's expense,
--   and the answers may be sold or misused in the owner's name.
-- response: Ask the owner of the principal. If the use is not known, disable the credentials and see in the bill what
--   was spent, in all regions.
-- false_positives: an application that moves to a newer model
-- blind_spots: what was asked and answered, which only model invocation logging keeps; a thief who uses the same model
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.modelId'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'bedrock.amazonaws.com'
  AND event_name IN (
      'InvokeModel', 'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream'
  )
