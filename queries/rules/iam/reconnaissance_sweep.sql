-- title: Rights of the account explored call by call
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_calls: {type: bigint, default: 10, about: different reading calls by one session in one hour}
-- attack: [T1087.004, T1069.003, T1580]
-- pci: ["10.2.1.2", "7.3.1", "11.5.1"]
-- why: One session asked IAM for users, groups, roles, policies and keys in turn. A program asks for the few things it
--   needs; this is somebody finding out whom they have become and where to go next.
-- response: Ask the owner of the principal what was running at that time and from that address. If nobody knows,
--   disable the key or revoke the sessions, and read what the same session did next.
-- false_positives: auditors and their tools, which should work under a role of their own
-- blind_spots: a slow search; the console, which makes such calls for everybody who opens it
WITH reads AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
        array_agg(
            date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id ORDER BY event_time, event_id
        ) AS marks  -- sort by time, then id
    FROM cloudtrail_events
    WHERE event_source IN ('iam.amazonaws.com', 'organizations.amazonaws.com')
      AND regexp_like(event_name, '^(List|Get|Describe|Simulate)')
      AND invoked_by IS NULL
      AND COALESCE(json_extract_scalar(extra, '$.sessionCredentialFromConsole'), '') <> 'true'
      AND NOT regexp_like(
          COALESCE(user_agent, ''),
          '^\[?(AWS-Console|Mozilla/|AWS Internal)|(console|signin)\.amazonaws\.com'
      )
      AND principal_arn NOT LIKE '%:role/aws-service-role/%'
    GROUP BY principal_arn, account_id, COALESCE(session_name, access_key_id), date_trunc('hour', event_time)
    HAVING count(DISTINCT event_name) >= :min_calls
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    array_sort(array_distinct(flatten(array_agg(event_names)))) AS event_names,
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM reads
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
