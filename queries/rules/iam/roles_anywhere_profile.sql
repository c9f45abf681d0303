-- title: Roles opened to certificates from outside
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.003, T1649]
-- pci: ["7.2.1", "8.6.1", "10.2.1.5"]
-- why: A Roles Anywhere profile names the roles that machines outside AWS may take with a certificate. With a trust
--   anchor of their own (iam.identity_provider_changed) somebody can come back this way when every key is gone.
-- response: Check that the profile, its roles and the trust anchor belong to a known system. Disable the profile if
--   not, and look for CreateSession by rolesanywhere.amazonaws.com.
-- false_positives: a data centre or pipeline being joined to AWS
-- blind_spots: who holds the certificates
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.name'),
        json_extract_scalar(request_parameters, '$.profileId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'rolesanywhere.amazonaws.com'
  AND event_name IN ('CreateProfile', 'UpdateProfile', 'EnableProfile', 'EnableTrustAnchor')
