-- title: User added to a group of administrators
-- kind: match
-- severity: high
-- per: resource
-- params:
--   admin_names:
--     type: varchar
--     default: '(?i)(admin|root|power-?user|full-?access|superuser|break-?glass|emergency)'
--     about: pattern of group names that mean far-reaching rights
-- attack: [T1098.003]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: By its name the group holds administrators, and the user is now one of them. No policy was attached or written,
--   so nothing else in the log says so.
-- response: Ask the principal for the ticket. Without one, take the user out of the group, disable its keys and
--   password, and read what it did since.
-- false_positives: a new member of the operations team; a group named so that may do little
-- blind_spots: strong groups under a plain name (iam.user_added_to_group shows those)
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'AddUserToGroup'
  AND regexp_like(json_extract_scalar(request_parameters, '$.groupName'), :admin_names)
