-- title: Task definition carries a secret in plain text
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1552]
-- pci: ["8.6.2", "8.3.2"]
-- why: A variable that looks like a password or key is set as plain text instead of by reference. Everyone who may look
--   at task definitions can read it, in the console and in every old revision.
-- response: Put the value into Secrets Manager, refer to it under secrets with valueFrom, change it, and deregister and
--   delete the revisions that show the old one.
-- false_positives: a variable whose name sounds like a secret but holds a public value
-- blind_spots: secrets under harmless names, in commands or in files; tasks whose environment AWS hid in the log
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition', 'RunTask', 'StartTask')
  AND any_match(
      TRY_CAST(
          COALESCE(
              json_extract(request_parameters, '$.containerDefinitions'),
              json_extract(request_parameters, '$.overrides.containerOverrides')
          ) AS ARRAY(JSON)
      ),
      container -> any_match(
          TRY_CAST(json_extract(container, '$.environment') AS ARRAY(JSON)),
          variable -> (
              regexp_like(
                  json_extract_scalar(variable, '$.name'),
                  '(?i)passw|passphrase|secret|token|credential|(api|access|private|signing|encryption)_?key'
              )
              AND NOT regexp_like(
                  json_extract_scalar(variable, '$.name'),
                  '(?i)_(arn|name|id|file|path|dir|url|uri|endpoint|host|region|ttl|length|expiry|timeout|enabled)$'
                      || '|tokens$'
              )
              AND NOT regexp_like(
                  json_extract_scalar(variable, '$.value'),
                  '(?i)^(|[0-9]{1,4}|true|false|none|arn:aws[a-z-]*:(secretsmanager|ssm):.*)$'
              )
          )
          OR regexp_like(
              json_extract_scalar(variable, '$.value'),
              '(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|[a-z]://[^/:@ ]+:[^/@ ]+@'
          )
      )
  )
