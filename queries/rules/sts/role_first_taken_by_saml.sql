-- title: Role taken through SAML for the first time
-- kind: first_seen
-- first_for: account
-- severity: low
-- attack: [T1606.002, T1078.004]
-- pci: ["7.2.1", "8.2.1", "11.5.1"]
-- why: Somebody came in through the identity provider with a role that nobody of the account took that way before. Who
--   can forge the provider's answers can choose any role, and will choose a strong one.
-- response: Look at whether the provider gives that role to the person, and has a sign-in of theirs at that time. If
--   not, treat the provider's signing key as stolen.
-- false_positives: a new role given to a team
-- blind_spots: roles that are in use already
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.roleArn'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'AssumeRoleWithSAML'
