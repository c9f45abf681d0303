-- title: Tag of a user or role changed by hand
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1098]
-- pci: ["7.2.1", "7.3.1", "10.2.1.5"]
-- why: Where policies ask for tags (aws:PrincipalTag, iam:ResourceTag), a tag is a right. Who changes their own team or
--   project opens what belongs to it. No policy changes, so nothing else shows it.
-- response: See whether any policy asks for the tag. If one does, set it back and read what the user or role reached
--   since; allow iam:TagUser and iam:TagRole to few.
-- false_positives: tags for the bill
-- blind_spots: tags given to a session, in sts.amazonaws.com; tags of Identity Center's users; in some records the
--   values are hidden
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('TagUser', 'TagRole', 'UntagUser', 'UntagRole')
  AND hand NOT IN ('service', 'automation')  -- infrastructure code writes its tags on everything, every day
