-- All match rules in one scan. auditkit/match_rules.py puts in, as nodes of the tree:
--   :worth_judging  what an event must be for any rule to fire: one of the calls they name, mostly
--   :fired          columns of names, each of some rules: CASE WHEN <predicate of a rule> THEN '<rule>' END
--   :all_fired      what is in these columns
--   :resource       what the rule says was acted on, where it says so, else resource_arn
--   :per_resource   names of the rules that make one finding for each resource
WITH judged AS (
    SELECT *, :fired  -- a rule that did not fire is NULL, which leaves no trace
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
        event_id,
        event_name,
        source_ip,
        outcome,
        hand
    FROM judged
    CROSS JOIN UNNEST(split(:all_fired, ',')) AS hit(rule)
    WHERE rule <> ''
)
SELECT
    rule,
    principal_arn,
    account_id,
    CASE WHEN rule IN (:per_resource) THEN resource END AS resource,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count,
    CASE
        WHEN count_if(outcome = 'ok') > 0 THEN 'ok'
        WHEN count_if(outcome = 'denied') > 0 THEN 'denied'
        ELSE 'error'
    END AS outcome,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(DISTINCT event_name ORDER BY event_name) AS event_names,
    array_agg(DISTINCT hand ORDER BY hand) AS hands,
    count(DISTINCT CASE WHEN outcome = 'ok' THEN CAST(event_time AS DATE) END) AS day_count,
    min(CASE WHEN outcome <> 'ok' THEN event_time END) < max(CASE WHEN outcome = 'ok' THEN event_time END) AS tried_first,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM hits
GROUP BY rule, principal_arn, account_id, CASE WHEN rule IN (:per_resource) THEN resource END
ORDER BY rule, principal_arn, account_id, resource
