-- title: Access key made for root
-- kind: match
-- severity: critical
-- attack: [T1098.001, T1078.004]
-- pci: ["2.2.2", "8.2.2", "8.6.1", "10.2.1.2"]
-- cis: ["3.0/4.3", "7.0/5.3"]
-- why: A key of the root user opens everything, knows no permissions and no MFA, and never expires. No work needs one.
-- response: Delete the key now, change root's password, check its MFA devices and the e-mail address of the account,
--   and read everything that the key has done.
-- false_positives: none known
-- blind_spots: root keys that were made before the window
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('CreateAccessKey', 'UploadSigningCertificate')
  AND identity_type = 'Root'
  AND json_extract_scalar(request_parameters, '$.userName') IS NULL  -- root may make keys for users too
