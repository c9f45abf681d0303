-- title: Roles of the account made to work at outside services
-- kind: match
-- severity: low
-- attack: [T1550.001, T1484.002]
-- pci: ["8.6.1", "10.2.1.5"]
-- why: From now on every role that may call GetWebIdentityToken gets a signed token that outside services can be told
--   to trust. It is a quiet way to carry the account's name out, and is switched on once.
-- response: Ask the principal which service it is for. If none, switch it off (DisableOutboundWebIdentityFederation),
--   and allow sts:GetWebIdentityToken only to the roles that need it.
-- false_positives: a planned sign-in to another cloud without keys
-- blind_spots: what the tokens are used for outside
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'EnableOutboundWebIdentityFederation'
