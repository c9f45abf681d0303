-- title: User made, given a key and rights within an hour
-- kind: aggregate
-- severity: high
-- per: resource
-- reads: [cloudtrail_events]
-- attack: [T1136.003, T1098.001, T1098.003]
-- pci: ["8.2.1", "8.2.4", "7.2.2", "10.2.1.5"]
-- why: A new user got a key or a password and rights in one go, so somebody can work under it right away. Intruders
--   make themselves such a user in their first minutes, under a name that looks like a service.
-- response: Ask the principal for the request behind the user. Without one, deactivate the user's keys, delete its
--   login, and read what it did; then look at how its maker got in.
-- false_positives: onboarding, and machine users that infrastructure code sets up
-- blind_spots: a user that is set up over more than an hour; which of several principals took which step, since the
--   finding names the one who made the user
WITH steps AS (
    SELECT
        principal_arn,
        account_id,
        json_extract_scalar(request_parameters, '$.userName') AS user_name,
        event_name,
        event_time,
        event_id,
        source_ip,
        hand,
        min(CASE WHEN event_name = 'CreateUser' THEN event_time END)
            OVER (PARTITION BY account_id, json_extract_scalar(request_parameters, '$.userName')) AS made
    FROM cloudtrail_events
    WHERE event_source = 'iam.amazonaws.com'
      AND event_name IN (
          'CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup'
      )
      AND outcome = 'ok'
)
SELECT
    max(CASE WHEN event_name = 'CreateUser' THEN principal_arn END) AS principal_arn,
    account_id,
    user_name AS resource,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM steps
WHERE user_name IS NOT NULL
  AND event_time >= made
  AND event_time <= made + INTERVAL '1' HOUR
GROUP BY account_id, user_name
HAVING count_if(event_name IN ('CreateAccessKey', 'CreateLoginProfile')) > 0
    AND count_if(event_name IN ('AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup')) > 0
ORDER BY account_id, user_name
