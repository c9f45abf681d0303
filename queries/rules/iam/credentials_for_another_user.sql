-- title: New key or login made for another user
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1098.001]
-- pci: ["8.2.1", "8.2.4", "10.2.1.5"]
-- why: Someone made an access key or a console password for a user other than themselves. From then on they can act
--   under that name, and the log will blame its owner.
-- response: Ask the owner of the user whether they asked for it. If not, deactivate the key or delete the login, then
--   look for what the new key did (its id is in the answer to the call), from which addresses.
-- false_positives: onboarding by an administrator, or infrastructure code that makes a machine user with its key
-- blind_spots: keys and passwords that a user makes for itself, which is also how a thief stays
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.userName'),
        regexp_extract(error_message, 'on resource: (?:user |\S*[/:])([^\s/:]+)', 1)  -- a refusal carries no parameters
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN (
      'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'CreateServiceSpecificCredential'
  )
  AND COALESCE(
      json_extract_scalar(request_parameters, '$.userName'),
      regexp_extract(error_message, 'on resource: (?:user |\S*[/:])([^\s/:]+)', 1)
  ) IS NOT NULL
  AND NOT (
      COALESCE(identity_type, '') = 'IAMUser'
      AND COALESCE(lower(principal_name), '') = lower(COALESCE(
          json_extract_scalar(request_parameters, '$.userName'),
          regexp_extract(error_message, 'on resource: (?:user |\S*[/:])([^\s/:]+)', 1)
      ))
  )
