-- title: Server certificate uploaded to IAM or deleted
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1649, T1531]
-- pci: ["4.2.1.1", "10.2.1.5"]
-- why: Load balancers and CloudFront show these certificates to the world. A deleted one takes a site down at the next
--   change; an uploaded one, with a key that somebody holds outside, lets them read or imitate the site.
-- response: Match it with a renewal. Upload a deleted certificate again; for an unknown one, find what uses it and
--   where its private key came from.
-- false_positives: yearly renewal on listeners that do not use Certificate Manager
-- blind_spots: certificates of Certificate Manager; the text of the certificate
SELECT *,
    json_extract_scalar(request_parameters, '$.serverCertificateName') AS resource
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('UploadServerCertificate', 'DeleteServerCertificate', 'UpdateServerCertificate')
