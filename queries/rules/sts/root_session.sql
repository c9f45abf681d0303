-- title: Session of another account's root opened
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1548.005, T1078.004]
-- pci: ["8.2.2", "8.6.1", "10.2.1.2"]
-- why: AssumeRoot makes the caller root of a member account for a quarter of an hour, limited to one task such as
--   deleting a bucket policy or root's credentials. It is for emergencies, and each use should be known beforehand.
-- response: Ask the principal for the reason. In the account shown, read what the root session did (its key is in the
--   answer to the call), and put back what it deleted.
-- false_positives: a locked bucket being freed; removal of root credentials across the organization
-- blind_spots: the member account records the session's deeds in its own trail
SELECT *,
    COALESCE(
        regexp_extract(json_extract_scalar(request_parameters, '$.targetPrincipal'), '[0-9]{12}'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'AssumeRoot'
