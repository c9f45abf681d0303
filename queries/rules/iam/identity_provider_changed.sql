-- title: Identity provider added or changed
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1484.002]
-- pci: ["8.2.1", "10.2.1.5"]
-- why: An identity provider decides who may sign in to the account and as whom. Someone who controls one can be any
--   user of every role that trusts it, without a password or key of yours.
-- response: Compare the provider's address, certificate and audience with what the identity team runs. Remove it if it
--   is unknown and revoke the sessions of the roles that trust it.
-- false_positives: yearly change of the SAML certificate; first set-up of a pipeline that signs in with OpenID Connect
-- blind_spots: changes at the provider itself
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('iam.amazonaws.com', 'rolesanywhere.amazonaws.com')
  AND event_name IN (
      'CreateSAMLProvider', 'UpdateSAMLProvider', 'CreateOpenIDConnectProvider', 'AddClientIDToOpenIDConnectProvider',
      'UpdateOpenIDConnectProviderThumbprint', 'CreateTrustAnchor', 'UpdateTrustAnchor'
  )
  AND COALESCE(principal_arn, '') NOT LIKE '%:role/aws-service-role/%'  -- Identity Center sets up its own provider
