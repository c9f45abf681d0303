-- title: Threat detection told to trust or to forget addresses
-- kind: match
-- severity: high
-- attack: [T1562.001]
-- pci: ["10.7.2", "11.5.1"]
-- why: GuardDuty raises no findings for addresses on its trusted list, and fewer without the lists of known threats. An
--   intruder who puts the own address there works unseen.
-- response: Read the list in the bucket that the call names, take out what is not yours, and look through CloudTrail
--   for what those addresses did.
-- false_positives: offices or scanners of your own put on the list by the security team
-- blind_spots: the file in the bucket changed while the list stays; what stands in it
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.location'),
        json_extract_scalar(request_parameters, '$.ipSetId'),
        json_extract_scalar(request_parameters, '$.threatIntelSetId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'guardduty.amazonaws.com'
  AND event_name IN ('CreateIPSet', 'UpdateIPSet', 'CreateTrustedEntitySet', 'UpdateTrustedEntitySet',
                     'DeleteThreatIntelSet', 'UpdateThreatIntelSet', 'DeleteThreatEntitySet', 'UpdateThreatEntitySet',
                     'DeletePublishingDestination')
  AND (
      event_name NOT IN ('UpdateThreatIntelSet', 'UpdateThreatEntitySet')
      OR json_extract_scalar(request_parameters, '$.activate') = 'false'
  )
  AND NOT (
      event_name IN ('UpdateIPSet', 'UpdateTrustedEntitySet')
      AND COALESCE(json_extract_scalar(request_parameters, '$.activate'), 'true') = 'false'
  )
