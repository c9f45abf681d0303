-- title: Role went on to a role it never took
-- kind: first_seen
-- severity: low
-- attack: [T1548.005, T1550.001]
-- pci: ["7.2.5", "8.6.1", "11.5.1"]
-- why: A session of one role took another role that it never took before. Programs follow the same chain every day; an
--   intruder in one of them tries where else it leads.
-- response: Ask the owner of the first role. If nobody knows, revoke the sessions of both roles, and read what the
--   second did.
-- false_positives: a deployment into a new account; a person who changes to another role
-- blind_spots: the first role's own origin, unless a source identity is set; roles of which the baseline knows nothing
SELECT *,
    COALESCE(json_extract_scalar(request_parameters, '$.roleArn'), resource_arn) AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'AssumeRole'
  AND identity_type = 'AssumedRole'
  AND invoked_by IS NULL
