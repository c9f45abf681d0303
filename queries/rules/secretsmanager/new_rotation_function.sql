-- title: Secrets handed to a rotation function new to the account
-- kind: first_seen
-- first_for: account
-- severity: medium
-- attack: [T1555.006, T1546]
-- pci: ["8.3.9", "8.6.3", "10.2.1.5"]
-- why: Secrets Manager gives the value of a secret to the function that rotates it, again and again. A function that no
--   secret of this account was rotated by before may be there to carry values away.
-- response: Read the function's code and see who made it and when. If it is not yours, name the old function again,
--   delete the new one, and change every secret that was handed to it.
-- false_positives: rotation set up for the first time, or a function deployed under a new name
-- blind_spots: other code in a function that has rotated secrets before; rotation that Secrets Manager does without a
--   function
SELECT *,
    json_extract_scalar(request_parameters, '$.rotationLambdaARN') AS resource
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'RotateSecret'
