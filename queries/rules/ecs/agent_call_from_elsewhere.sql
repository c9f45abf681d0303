-- title: Somebody posed as the agent of a cluster host
-- kind: match
-- severity: high
-- attack: [T1078.004, T1552.005]
-- pci: ["8.6.1", "10.2.1.2", "11.5.1"]
-- why: Only the ECS agent on a host makes these calls, in the session of that host. Who makes them otherwise wants to
--   join a cluster or be sent the credentials of the tasks of others.
-- response: Find out whose key made the call and take it away. Deregister container instances that nobody knows, and
--   revoke the sessions of the task roles of that cluster.
-- false_positives: a host outside AWS that was set up with a user's key
-- blind_spots: calls made on the host itself, in its own session; the agent's own channel, which the log does not hold
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN (
      'DiscoverPollEndpoint', 'RegisterContainerInstance', 'SubmitTaskStateChange', 'SubmitContainerStateChange',
      'SubmitAttachmentStateChanges'
  )
  AND hand <> 'service'
  AND NOT regexp_like(COALESCE(session_name, ''), '^m?i-[0-9a-f]+$')
