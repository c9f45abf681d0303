-- title: AWS quarantined a leaked key
-- kind: match
-- severity: high
-- per: resource
-- attempts: same
-- attack: [T1078.004, T1552.001]
-- pci: ["8.6.3", "12.10.5"]
-- why: AWS attaches this policy by itself when it finds an access key of the user in public, for example on GitHub. The
--   key must be taken as known to everybody; the policy stops only some of what can be done with it.
-- response: Deactivate the user's keys now, make new ones where needed, find where the key was published, and read all
--   that the user did from addresses you do not know.
-- false_positives: an administrator attaching the policy by hand as a precaution
-- blind_spots: leaks that AWS has not found
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'AttachUserPolicy'
  AND json_extract_scalar(request_parameters, '$.policyArn') LIKE '%/AWSCompromisedKeyQuarantine%'
