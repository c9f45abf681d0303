-- title: Start-up script of an instance changed
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1651, T1059]
-- pci: ["6.5.1", "10.2.1.7", "11.5.2"]
-- why: The user data of this instance was changed, and an instance can run it as administrator when it starts. Stopping
--   a machine, changing the script and starting it again gives control of it without a password.
-- response: Read the user data now on the instance. If nobody knows the change, take the instance off the network
--   before it starts again, and treat its role's credentials as stolen.
-- false_positives: an administrator who replaces a machine's set-up by hand
-- blind_spots: the text, which AWS hides; launch templates; scripts that the user data loads from elsewhere
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name = 'ModifyInstanceAttribute'
  AND (
      json_extract(request_parameters, '$.userData') IS NOT NULL
      OR json_extract_scalar(request_parameters, '$.attribute') = 'userData'
  )
