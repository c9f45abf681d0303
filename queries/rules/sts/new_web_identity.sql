-- title: Role taken by a new web identity
-- kind: first_seen
-- first_for: account
-- severity: medium
-- attack: [T1199, T1078.004, T1550.001]
-- pci: ["7.2.1", "8.6.1", "11.5.1"]
-- why: A repository, a cluster's service account or an identity provider got a role here that never had one. Trust
--   policies that ask for too little let strangers' pipelines in, and it looks just like this.
-- response: Check that the repository or cluster is yours. If not, narrow the condition on the subject (sub) in the
--   role's trust policy, revoke the role's sessions, and read what they did.
-- false_positives: a new repository or service that is set up
-- blind_spots: users of public providers, who are not told apart here; branches of one repository
SELECT *,
    json_extract_scalar(user_identity, '$.identityProvider') || COALESCE(
        ' ' || regexp_extract(
            json_extract_scalar(user_identity, '$.userName'),
            '^(repo:[^:]+|project_path:[^:]+|system:serviceaccount:.+|organization:[^:]+:project:[^:]+:workspace:[^:]+)'
        ),
        ''
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'sts.amazonaws.com'
  AND event_name = 'AssumeRoleWithWebIdentity'
