-- title: Systems Manager document opened to every AWS account
-- kind: match
-- severity: high
-- hands: same
-- per: resource
-- attack: [T1537, T1651]
-- pci: ["7.2.1", "7.3.1", "10.2.1.7"]
-- why: Anybody with an AWS account can now read this document. Documents hold the scripts that run on your hosts, and
--   with them names of hosts, internal addresses and often passwords.
-- response: Take the sharing back (ModifyDocumentPermission, AccountIdsToRemove all), change every password the
--   document holds, and block public sharing for the region.
-- false_positives: publishers of documents that are meant for everybody
-- blind_spots: who read the document meanwhile, which is recorded in their accounts; sharing with single accounts
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name = 'ModifyDocumentPermission'
  AND regexp_like(lower(json_format(json_extract(request_parameters, '$.accountIdsToAdd'))), '"all"')
