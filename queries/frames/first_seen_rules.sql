-- All rules of kind first_seen in one scan of the baseline and the window behind it. auditkit/match_rules.py puts in, as
-- nodes of the tree:
--   :worth_judging, :fired, :all_fired, :resource   as in match_rules.sql
--   :since          where the window starts: what is before it is the baseline
--   :of_accounts    names of the rules that ask whether the account had the resource, whoever used it
--   :of_newcomers   names of the rules that also fire for those of whom the baseline knows nothing
WITH judged AS (
    SELECT *, :fired
    FROM cloudtrail_events
    WHERE :worth_judging
),
hits AS (
    SELECT
        rule,
        principal_arn,
        account_id,
        :resource AS resource,
        event_time,
        event_time >= :since AS is_new,
        event_id,
        event_name,
        source_ip,
        outcome,
        hand
    FROM judged
    CROSS JOIN UNNEST(split(:all_fired, ',')) AS hit(rule)
    WHERE rule <> ''
),
uses AS (
    SELECT
        rule,
        principal_arn,
        account_id,
        resource,
        -- what was only tried is not yet known
        count_if(NOT is_new AND outcome = 'ok') AS known_count,
        min(CASE WHEN is_new THEN event_time END) AS first_seen,
        max(CASE WHEN is_new THEN event_time END) AS last_seen,
        count_if(is_new) AS event_count,
        count_if(is_new AND outcome <> 'ok') AS failed_count,
        count_if(is_new AND outcome = 'ok') AS ok_count,
        count_if(is_new AND outcome = 'denied') AS denied_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) FILTER (WHERE is_new) AS source_ips,
        array_agg(DISTINCT event_name ORDER BY event_name) FILTER (WHERE is_new) AS event_names,
        array_agg(DISTINCT hand ORDER BY hand) FILTER (WHERE is_new) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) FILTER (WHERE is_new) AS evidence
    FROM hits
    WHERE resource IS NOT NULL
    GROUP BY rule, principal_arn, account_id, resource
),
compared AS (
    SELECT
        *,
        sum(known_count) OVER (
            PARTITION BY rule, account_id, resource, CASE WHEN rule IN (:of_accounts) THEN '' ELSE principal_arn END
        ) AS known_uses
    FROM uses
),
known AS (
    SELECT account_id, principal_arn
    FROM cloudtrail_events
    WHERE event_time < :since
    GROUP BY account_id, principal_arn
)
SELECT
    rule,
    principal_arn,
    account_id,
    resource,
    ARRAY[resource] AS resources,
    first_seen,
    last_seen,
    event_count,
    failed_count,
    CASE WHEN ok_count > 0 THEN 'ok' WHEN denied_count > 0 THEN 'denied' ELSE 'error' END AS outcome,
    source_ips,
    event_names,
    hands,
    evidence
FROM compared
WHERE event_count > 0
  AND known_uses = 0
  AND (
      rule IN (:of_newcomers)
      OR rule IN (:of_accounts) AND account_id IN (SELECT account_id FROM known WHERE account_id IS NOT NULL)
      OR rule NOT IN (:of_accounts) AND account_id || ' ' || principal_arn IN (
          SELECT account_id || ' ' || principal_arn
          FROM known
          WHERE account_id IS NOT NULL AND principal_arn IS NOT NULL
      )
  )
ORDER BY rule, principal_arn, account_id, resource
