-- title: SSH key or signing certificate uploaded for a user
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1098.001, T1098.004]
-- pci: ["8.2.4", "8.6.1", "10.2.1.5"]
-- why: An uploaded key is a credential beside password and access keys. An SSH key reaches CodeCommit, a certificate
--   signs requests to AWS itself. Both outlive a changed password and are missed when a user is cleaned up.
-- response: Ask the user whether the key is theirs. If not, delete it, and the user's other credentials with it, and
--   look for what was read or pushed since.
-- false_positives: a developer who sets up CodeCommit
-- blind_spots: whether the key belongs to the user; use of the key in Git, unless data events are logged
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('UploadSSHPublicKey', 'UploadSigningCertificate')
  AND COALESCE(identity_type, '') <> 'Root'  -- a certificate of root is worse, and shown as such
