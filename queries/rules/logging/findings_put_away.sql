-- title: One principal put away many findings
-- kind: aggregate
-- severity: medium
-- reads: [cloudtrail_events]
-- params:
--   min_findings: {type: bigint, default: 20, about: findings archived or suppressed in one day}
-- attack: [T1562.001]
-- pci: ["10.7.2", "11.5.1", "12.10.5"]
-- why: Dozens of findings of GuardDuty or Security Hub were archived or marked as suppressed within a day. Real work on
--   findings is slower; the one that matters may be among them.
-- response: Read the findings that were put away, above all those of that principal and address, and open again what
--   nobody had looked at.
-- false_positives: a clean-up after a noisy check was agreed on; a ticket system that closes what is solved
-- blind_spots: filters that put findings away by themselves (logging.findings_hidden_by_rule); UpdateFindings, which
--   names a filter and not the findings, counts as many
WITH acts AS (
    SELECT
        principal_arn,
        account_id,
        event_date,
        event_time,
        event_id,
        source_ip,
        hand,
        outcome,
        CASE
            WHEN event_name = 'UpdateFindings' THEN :min_findings
            ELSE COALESCE(
                json_array_length(json_extract(request_parameters, '$.findingIds')),
                json_array_length(json_extract(request_parameters, '$.findingIdentifiers')),
                json_array_length(json_extract(request_parameters, '$.FindingIdentifiers')),
                1
            )
        END AS finding_count
    FROM cloudtrail_events
    WHERE event_name IN ('ArchiveFindings', 'BatchUpdateFindings', 'UpdateFindings')
      AND (
          event_source = 'guardduty.amazonaws.com'
          AND event_name = 'ArchiveFindings'
          OR event_source = 'securityhub.amazonaws.com'
          AND regexp_like(
              request_parameters, '"[Ss]tatus"\s*:\s*"SUPPRESSED"|"[Rr]ecordState"\s*:\s*"ARCHIVED"'
          )
      )
      AND hand <> 'service'
),
days AS (
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
    FROM acts
    GROUP BY principal_arn, account_id, event_date
    HAVING sum(finding_count) >= :min_findings
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
FROM days
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
