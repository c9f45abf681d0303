-- title: Container allowed to reach the host
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1611, T1610]
-- pci: ["2.2.1", "2.2.4", "7.2.5"]
-- why: The task definition asks for privileged mode, the host's processes, or host folders from which the host can be
--   taken over. Whoever gets into that container gets the host and every other task on it.
-- response: Ask the owner of the family which of these the program needs. Register a revision without them, and move
--   what does need them to hosts of its own.
-- false_positives: monitoring and security agents that run once on every host
-- blind_spots: rights given on the host itself; images that break out through a flaw
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND (
      json_extract_scalar(request_parameters, '$.pidMode') = 'host'
      OR json_extract_scalar(request_parameters, '$.ipcMode') = 'host'
      OR any_match(
          TRY_CAST(json_extract(request_parameters, '$.volumes') AS ARRAY(JSON)),
          volume -> regexp_like(
              json_extract_scalar(volume, '$.host.sourcePath'),
              '^/$|^/(etc|root|proc|boot|var/lib/docker|var/lib/ecs)(/|$)|(docker|containerd)\.sock$'
          )
      )
      OR any_match(
          TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
          container -> json_extract_scalar(container, '$.privileged') = 'true'
              OR regexp_like(
                  json_format(json_extract(container, '$.linuxParameters.capabilities.add')),
                  '"(ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|SYS_RAWIO)"'
              )
      )
  )
