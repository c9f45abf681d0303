-- title: One principal tried to take many roles
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   min_roles: {type: bigint, default: 5, about: distinct roles refused in one day}
-- attack: [T1087.004, T1078.004]
-- pci: ["7.3.1", "10.2.1.4"]
-- why: A program knows the role it needs. Asking for one role after another shows somebody looking for a way to more
--   rights.
-- response: Ask the owner of the principal what was running. If nobody knows, disable the key, and check the roles that
--   were tried for trust that is wider than it needs to be.
-- false_positives: a scanner that visits every account of an organization and lacks its role in some
-- blind_spots: guesses made from other accounts, which are recorded there
WITH refused AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM cloudtrail_events
    WHERE event_source = 'sts.amazonaws.com'
      AND event_name IN ('AssumeRole', 'AssumeRoot')
      AND outcome = 'denied'
      AND invoked_by IS NULL
      AND principal_arn IS NOT NULL
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT COALESCE(json_extract_scalar(request_parameters, '$.roleArn'), resource_arn)) >= :min_roles
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(event_count) AS failed_count,
    'denied' AS outcome,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM refused
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
