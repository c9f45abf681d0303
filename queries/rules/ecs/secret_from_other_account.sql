-- title: Task takes secrets from another account
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1555.006, T1552]
-- pci: ["7.2.5", "8.6.2"]
-- why: The task definition names a secret or parameter of another account. Either that account opened it to this one,
--   or somebody tries what they can reach from here.
-- response: Ask the owner of the secret whether this account should have it. If not, close its policy, change the
--   secret, and deregister the revision.
-- false_positives: an account that keeps the secrets of all others
-- blind_spots: secrets that the program reads itself; names without an account, which mean this one
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
      container -> any_match(
          TRY_CAST(json_extract(container, '$.secrets') AS ARRAY(JSON)),
          secret -> regexp_like(
              json_extract_scalar(secret, '$.valueFrom'),
              '^arn:aws[a-z-]*:(secretsmanager|ssm):[a-z0-9-]*:[0-9]{12}:'
          )
          AND split_part(json_extract_scalar(secret, '$.valueFrom'), ':', 5) <> account_id
      )
  )
