-- title: Container given rights of the kernel
-- kind: match
-- severity: medium
-- yields_to: [ecs.privileged_container]
-- per: resource
-- attack: [T1611]
-- pci: ["2.2.4", "7.2.5"]
-- why: The task definition adds a right that containers do not have by default, such as changing networks or reading
--   files past their permissions. With some of these a program gets out of its container.
-- response: Ask the owner of the family what needs the right. Register a revision without it, and read what the tasks
--   of this revision did.
-- false_positives: VPN, proxy and network agents, which need NET_ADMIN
-- blind_spots: the rights that open the whole host, which ecs.privileged_container shows; rights set on the host itself
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('RegisterTaskDefinition', 'RegisterDaemonTaskDefinition')
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
      container -> regexp_like(
          json_format(json_extract(container, '$.linuxParameters.capabilities.add')),
          '"(NET_ADMIN|DAC_READ_SEARCH|MAC_ADMIN|MAC_OVERRIDE|AUDIT_CONTROL|SYS_BOOT|SYSLOG)"'
      )
  )
