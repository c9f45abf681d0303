-- title: Access to an account given in Identity Center
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "7.2.4", "10.2.1.5"]
-- why: A person or group may now enter the account named here with all the rights of a permission set. The account's
--   own log shows nothing of it but a role made by AWS.
-- response: Match it with a request. Otherwise delete the assignment, end the person's sessions in Identity Center, and
--   read what the role of that permission set (AWSReservedSSO_…) did in the account.
-- false_positives: onboarding; an access portal or script of your own that gives access for a time
-- blind_spots: the names of the person and the permission set, of which the log has ids only; members who join a group
--   that has access already
SELECT *,
    json_extract_scalar(request_parameters, '$.targetId') AS resource
FROM cloudtrail_events
WHERE event_source = 'sso.amazonaws.com'
  AND event_name = 'CreateAccountAssignment'
