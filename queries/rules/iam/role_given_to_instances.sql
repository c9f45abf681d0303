-- title: Role put into an instance profile
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1098.003, T1548.005]
-- pci: ["7.2.5", "10.2.1.5"]
-- why: Every program on an instance with that profile, and everybody with a shell there, has the role's rights. Passing
--   a strong role to a machine of one's own is a classic way up.
-- response: Look at what the role may do and which instances carry the profile. If nobody planned it, take the role out
--   and read what the role's sessions named i-… did.
-- false_positives: new servers being set up, mostly by infrastructure code
-- blind_spots: what the role may do; profiles that already hold a strong role
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'AddRoleToInstanceProfile'
