-- title: Identity provider deleted
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1531]
-- pci: ["8.2.1", "10.2.1.5", "12.10.5"]
-- why: Nobody who signs in through this provider gets into the account any more, neither people nor pipelines. An
--   intruder with a key of their own shuts the defenders out this way.
-- response: Ask the principal at once. Make the provider again under the same name (for SAML with the metadata of the
--   provider), and use the break-glass user until then.
-- false_positives: a provider or cluster that is given up
-- blind_spots: trust in the provider taken out of roles (iam.role_trust_changed)
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'rolesanywhere.amazonaws.com')
  AND event_name IN ('DeleteSAMLProvider', 'DeleteOpenIDConnectProvider', 'DeleteTrustAnchor', 'DisableTrustAnchor')
