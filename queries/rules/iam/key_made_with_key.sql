-- title: User made itself another access key
-- kind: match
-- severity: medium
-- attack: [T1098.001]
-- pci: ["8.3.9", "8.6.1", "8.6.3", "10.2.1.5"]
-- why: A long-lived key was used to make a second one for the same user. Whoever stole the first keeps the second when
--   the theft is noticed and the first is deactivated.
-- response: Ask the owner whether they are changing keys. If not, deactivate both keys (the answer to the call names
--   the new one), and read what each has done and from which addresses.
-- false_positives: a program or person changing keys, who makes the new one before deleting the old
-- blind_spots: keys made from the console or with a session
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'CreateAccessKey'
  AND identity_type = 'IAMUser'
  AND access_key_id LIKE 'AKIA%'
  AND lower(COALESCE(json_extract_scalar(request_parameters, '$.userName'), principal_name)) = lower(principal_name)
  -- of a refusal without parameters, only the message says whose key was asked for
  AND lower(COALESCE(regexp_extract(error_message, 'on resource: (?:user |\S*[/:])([^\s/:]+)', 1), principal_name))
      = lower(principal_name)
