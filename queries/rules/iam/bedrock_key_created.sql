-- title: Long-lived key for Bedrock made
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.001, T1496]
-- pci: ["8.2.4", "8.6.1", "10.2.1.5"]
-- why: A Bedrock API key is a plain bearer token of an IAM user that may live for years. Thieves make and sell them,
--   and the bill for the models is the account's.
-- response: Ask who needs the key. Without an owner delete it and the user behind it, whose name mostly begins with
--   BedrockAPIKey, and look at what was spent on models since.
-- false_positives: a developer trying models out from the console, which makes such keys in a few clicks
-- blind_spots: short-lived Bedrock keys, which are signed on the caller's machine and leave no event
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('CreateServiceSpecificCredential', 'ResetServiceSpecificCredential')
  AND COALESCE(
      json_extract_scalar(request_parameters, '$.serviceName'),
      json_extract_scalar(response_elements, '$.serviceSpecificCredential.serviceName')
  ) LIKE 'bedrock%'
