-- title: Access to an AI model asked for
-- kind: match
-- severity: medium
-- attack: [T1496.004, T1578.005]
-- pci: ["6.5.1", "10.2.1.7", "12.5.1"]
-- why: Somebody accepted the terms of a model or asked AWS to let this account use it. Thieves of keys do so at once
--   and sell the use of models, which costs the owner thousands a day.
-- response: Ask who wants the model. If nobody does, disable the credentials, and look at what was invoked since
--   (bedrock.model_invoked_first) in all regions.
-- false_positives: a team that starts to use a model
-- blind_spots: models that need no agreement; access given before the window
SELECT *
FROM cloudtrail_events
WHERE event_source = 'bedrock.amazonaws.com'
  AND event_name IN (
      'PutFoundationModelEntitlement', 'CreateFoundationModelAgreement', 'PutUseCaseForModelAccess'
  )
