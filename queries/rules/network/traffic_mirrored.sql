-- title: Copy of a machine's traffic sent elsewhere
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1040, T1020.001]
-- pci: ["1.2.5", "4.2.1", "11.5.1"]
-- why: A traffic mirror sends every packet of an interface to a second machine. Whoever owns that machine reads
--   passwords, sessions and card data wherever they travel inside the network without encryption.
-- response: Delete the session, find the target's owner, and treat what the interface sent without encryption as read.
--   Deny ec2:CreateTrafficMirrorSession to all but the network team.
-- false_positives: an intrusion detection system of your own that is fed like this
-- blind_spots: sessions made before the window; what was read, since mirrored packets are in no flow record
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.CreateTrafficMirrorSessionRequest.NetworkInterfaceId'),
        json_extract_scalar(request_parameters, '$.ModifyTrafficMirrorSessionRequest.TrafficMirrorSessionId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('CreateTrafficMirrorSession', 'ModifyTrafficMirrorSession')
  AND (
      event_name = 'CreateTrafficMirrorSession'
      OR regexp_like(request_parameters, '"TrafficMirrorTargetId"\s*:')  -- sent to another target
  )
