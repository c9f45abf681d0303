-- title: Container told to fetch the task's credentials
-- kind: match
-- severity: critical
-- per: resource
-- attack: [T1552.005]
-- pci: ["8.6.1", "8.6.2", "10.2.1.2"]
-- why: The command of this container names the address that hands out the credentials of the task role. Programs leave
--   that to the AWS library; a command that does it by hand is made to carry the credentials away.
-- response: Stop the task, revoke the sessions of its task role, and look for the role's session in use from addresses
--   that are not yours (sts.workload_session_from_outside).
-- false_positives: an old start script that fetches credentials for a program without AWS support
-- blind_spots: scripts inside the image; commands given through an ECS Exec shell
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition', 'RunTask', 'StartTask', 'ExecuteCommand')
  AND (
      regexp_like(
          json_extract_scalar(request_parameters, '$.command'),
          'AWS_CONTAINER_CREDENTIALS_|169\.254\.170\.2|169\.254\.169\.254'
      )
      OR any_match(
          TRY_CAST(
              COALESCE(
                  json_extract(request_parameters, '$.containerDefinitions'),
                  json_extract(request_parameters, '$.overrides.containerOverrides')
              ) AS ARRAY(JSON)
          ),
          container -> regexp_like(
              COALESCE(json_format(json_extract(container, '$.command')), '')
                  || COALESCE(json_format(json_extract(container, '$.entryPoint')), '')
                  || COALESCE(json_format(json_extract(container, '$.healthCheck.command')), ''),
              'AWS_CONTAINER_CREDENTIALS_|169\.254\.170\.2|169\.254\.169\.254'
          )
      )
  )
