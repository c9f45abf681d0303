-- title: Limits for sending mail or SMS asked for in many regions
-- kind: aggregate
-- severity: medium
-- attempts: same
-- reads: [cloudtrail_events]
-- params:
--   min_regions: {type: bigint, default: 3, about: distinct regions in one day}
-- attack: [T1526, T1580]
-- pci: ["10.2.1.2", "10.4.1"]
-- why: Thieves of keys sell accounts that can send much mail or many text messages, and ask every region how much it
--   may send. People and programs ask where they send from.
-- response: Find out whose key it is. If its owner did not do that, disable it, and look at what else was done with it
--   and from the same address.
-- false_positives: scanners of cloud security, which ask every region for everything
-- blind_spots: one or two regions; mail that is already being sent, which is no management event
WITH asked AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM cloudtrail_events
    WHERE event_source IN ('ses.amazonaws.com', 'sns.amazonaws.com')
      AND event_name IN (
          'GetSendQuota', 'GetAccount', 'GetAccountSendingEnabled', 'UpdateAccountSendingEnabled',
          'GetSMSAttributes', 'GetSMSSandboxAccountStatus'
      )
      AND invoked_by IS NULL
    GROUP BY principal_arn, account_id, event_date
    HAVING count(DISTINCT aws_region) >= :min_regions
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
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM asked
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
