-- title: Secret deleted without a way back
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1485]
-- pci: ["10.2.1.7"]
-- why: The secret was deleted at once, without the days in which it could be restored. Systems that need it fail, and a
--   blackmailer who took a copy first has something to sell.
-- response: Ask who ordered the deletion. If nobody did, restore the value from its system of origin under a new name,
--   and look for reads of the secret just before.
-- false_positives: test stacks taken down by infrastructure code with a recovery window of zero
-- blind_spots: deletion with a recovery window, and overwriting the value instead of deleting it
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'DeleteSecret'
  AND json_extract_scalar(request_parameters, '$.forceDeleteWithoutRecovery') = 'true'
  AND COALESCE(invoked_by, '') <> 'cloudformation.amazonaws.com'
