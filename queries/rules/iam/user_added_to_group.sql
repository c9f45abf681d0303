-- title: User added to a group
-- kind: match
-- severity: low
-- per: resource
-- params:
--   admin_names:
--     type: varchar
--     default: '(?i)(admin|root|power-?user|full-?access|superuser|break-?glass|emergency)'
--     about: pattern of group names that iam.user_added_to_admin_group looks for
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: A user who joins a group has all its rights from then on, without a policy being touched. It is the quietest way
--   to give rights.
-- response: Ask who wanted the user in that group and look at what the group may do. Take the user out when nobody
--   knows.
-- false_positives: onboarding and changes of team
-- blind_spots: what the group may do, which the log does not hold
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'AddUserToGroup'
  AND NOT regexp_like(COALESCE(json_extract_scalar(request_parameters, '$.groupName'), ''), :admin_names)
