-- title: Account taken out of its organization
-- kind: match
-- severity: high
-- attack: [T1666]
-- pci: ["10.7.2", "7.2.1"]
-- why: Outside the organization its guard rails and its central trail no longer hold. An intruder with a member account
--   tries this first.
-- response: Ask the organization's owners. Invite the account again, and compare its trail and policies with the
--   baseline.
-- false_positives: an account sold or handed over on purpose
-- blind_spots: what happens in the account after it left, unless it has a trail of its own
SELECT *
FROM cloudtrail_events
WHERE event_source = 'organizations.amazonaws.com'
  AND event_name IN ('LeaveOrganization', 'RemoveAccountFromOrganization')
