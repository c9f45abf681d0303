-- title: Console opened with credentials of a workload
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1550.001, T1552.005]
-- pci: ["8.6.1", "10.2.1.2"]
-- why: Instances, tasks and functions have no use for the console. Somebody took the credentials of one of them and
--   turned them into a browser session, which is the first thing that several attack tools do.
-- response: Revoke the role's sessions (deny by aws:TokenIssueTime), replace the instance or task, and read everything
--   that the role did since, in the console and out of it.
-- false_positives: a portal of your own that signs people in with the role of the machine it runs on
-- blind_spots: sessions whose name does not tell that they belong to a workload; a role taken once more before the
--   console is opened
SELECT *,
    session_name AS resource
FROM cloudtrail_events
WHERE event_source = 'signin.amazonaws.com'
  AND event_name IN ('GetSigninToken', 'ConsoleLogin')
  AND identity_type = 'AssumedRole'
  AND (
      hand = 'workload'
      -- a sign-in counts as a person's, whatever the name of the session
      OR regexp_like(
          session_name, '^(i-[0-9a-f]{8,17}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$'
      )
  )
