-- title: IAM user created
-- kind: match
-- severity: low
-- per: resource
-- attack: [T1136.003]
-- pci: ["8.2.1", "8.2.4", "10.2.1.5", "10.2.1.7"]
-- why: A new IAM user is a new identity with credentials that never expire. People should come through single sign-on
--   and workloads through roles, so each new user deserves a question.
-- response: Match the user with a request. Look for a key, a login or a policy given to it right after (the other iam
--   rules show these). Delete the user when nobody claims it.
-- false_positives: infrastructure code that makes machine users
-- blind_spots: identities made outside IAM, in Identity Center or at an identity provider
SELECT *
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name = 'CreateUser'
