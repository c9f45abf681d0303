-- title: Script set to run on hosts again and again
-- kind: match
-- severity: medium
-- attack: [T1651, T1053]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: An association runs a document on hosts at every start and on a schedule. With one that takes any script, an
--   intruder comes back by himself after the host was cleaned.
-- response: Read the association's parameters (DescribeAssociation) and ask who needs it. If nobody does, delete it and
--   treat the hosts it reached as taken.
-- false_positives: hosts that are set up in this way by their owners
-- blind_spots: the script, which AWS hides; documents of your own; associations that are made in another account and
--   shared by Quick Setup
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name IN ('CreateAssociation', 'CreateAssociationBatch', 'UpdateAssociation')
  AND regexp_like(
      COALESCE(
          json_extract_scalar(request_parameters, '$.name'),
          json_format(json_extract(request_parameters, '$.entries'))
      ),
      '(^|[/"])AWS-(RunShellScript|RunPowerShellScript|RunRemoteScript|RunDocument|RunAnsiblePlaybook'
          || '|ApplyAnsiblePlaybooks|InstallPowerShellModule|InstallApplication)("|$)'
  )
