-- title: Person ran a script on hosts
-- kind: match
-- severity: medium
-- attack: [T1651]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: Run Command takes any script and runs it as root or Administrator. Done by hand it goes past the ways in which
--   hosts are normally changed, and the script itself is in no log.
-- response: Ask the person what was run, and compare with the output that Systems Manager keeps for 30 days
--   (ListCommandInvocations). Replace the hosts if nobody knows.
-- false_positives: operators at work on a host; patching by hand
-- blind_spots: the script, which AWS hides; documents of your own; people who pass for automation
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name = 'SendCommand'
  AND hand = 'person'
  AND (
      request_parameters IS NULL  -- as when it was refused
      OR regexp_like(
          json_extract_scalar(request_parameters, '$.documentName'),
          '(^|/)AWS-(RunShellScript|RunPowerShellScript|RunRemoteScript|RunDocument|RunAnsiblePlaybook'
              || '|ApplyAnsiblePlaybooks)$'
      )
  )
