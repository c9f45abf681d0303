-- title: Session asked for that lasts half a day or more
-- kind: match
-- severity: low
-- per: resource
-- params:
--   min_duration_s: {type: bigint, default: 43200, about: seconds that a session was asked to last}
-- attack: [T1550.001]
-- pci: ["8.2.8", "8.6.1"]
-- why: A session lasts an hour unless more is asked for. The longest one there is spares a thief from coming back for a
--   new one, and goes on working when the key that opened it is gone.
-- response: Ask whether the job needs that long. If not, lower the role's maximum session duration; if nobody knows the
--   caller, revoke the role's sessions.
-- false_positives: long batch jobs; people who work a whole day in one session
-- blind_spots: sessions renewed again and again; the duration of single sign-on, which its provider sets
SELECT *
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name IN ('AssumeRole', 'AssumeRoleWithWebIdentity', 'GetSessionToken')
  AND TRY_CAST(json_extract_scalar(request_parameters, '$.durationSeconds') AS BIGINT) >= :min_duration_s
  AND NOT (
      event_name = 'GetSessionToken'  -- 12 hours are its default, and a session with MFA is good practice
      AND json_extract_scalar(request_parameters, '$.serialNumber') IS NOT NULL
  )
  AND COALESCE(resource_arn, '') NOT LIKE '%AWSReservedSSO%'
  AND invoked_by IS NULL
