-- A correlation of Sigma rules. auditkit/sigma/correlations.py puts in, as nodes of the tree:
--   :met          what an event must be to meet one of its rules
--   :fired        the numbers of the rules that the event meets, with commas between them
--   :group_key    the values it is grouped by, as a list of texts
--   :counted      the text of which distinct ones are counted
--   :span         how far apart its events may be, as an interval
--   :enough, :largest_enough   what the size of a span, and of the largest, has to be
--   :step, :steps, :last_step  the number of a rule in the order, how many there are, and the number of the last
-- and keeps of the ways to measure a span (event_count, value_count, ordered) the one that it needs, as `spans`.
WITH judged AS (
    SELECT *, :fired AS fired
    FROM cloudtrail_events
    WHERE :met
),
hits AS (
    SELECT
        rule,
        :group_key AS group_key,
        :counted AS counted,
        principal_arn,
        account_id,
        resource_arn,
        event_time,
        event_id,
        event_name,
        source_ip,
        outcome,
        hand
    FROM judged
    CROSS JOIN UNNEST(split(fired, ',')) AS hit(rule)
    WHERE rule <> ''
),
grouped AS (  -- what lacks a value is in no group
    SELECT *
    FROM hits
    WHERE counted IS NOT NULL
      AND none_match(group_key, part -> part IS NULL)
),
event_count AS (
    SELECT
        group_key,
        event_time,
        count(*) OVER (
            PARTITION BY group_key ORDER BY event_time RANGE BETWEEN CURRENT ROW AND :span FOLLOWING
        ) AS size
    FROM grouped
),
seen AS (
    SELECT
        group_key,
        event_time,
        event_time - :span AS span_before,
        lag(event_time) OVER (PARTITION BY group_key, counted ORDER BY event_time) AS seen_before
    FROM grouped
),
changes AS (  -- an event is the first of its value in the spans that begin after the one before it, and hold itself
    SELECT group_key, span_before AS event_time, 0 AS place, 1 AS change
    FROM seen
    WHERE seen_before IS NULL OR seen_before < span_before
    UNION ALL
    SELECT group_key, seen_before AS event_time, 2 AS place, 1 AS change
    FROM seen
    WHERE seen_before >= span_before
    UNION ALL
    SELECT group_key, event_time, 1 AS place, 0 AS change  -- a span that begins with the event
    FROM seen
    UNION ALL
    SELECT group_key, event_time, 2 AS place, -1 AS change
    FROM seen
),
changed AS (
    SELECT
        group_key,
        event_time,
        place,
        sum(change) OVER (PARTITION BY group_key ORDER BY event_time, place) AS size
    FROM changes
),
value_count AS (
    SELECT group_key, event_time, size
    FROM changed
    WHERE place = 1
),
last_step AS (  -- of the rules in their order; each step before it finishes when the next one does
    SELECT group_key, event_time, rule, CASE WHEN rule = :last_step THEN event_time END AS finished
    FROM grouped
),
step AS (
    SELECT
        group_key,
        event_time,
        rule,
        CASE WHEN rule = :step THEN min(finished) OVER (
            PARTITION BY group_key ORDER BY event_time RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) END AS finished
    FROM next_step
),
ordered AS (
    SELECT group_key, event_time, CASE WHEN finished <= event_time + :span THEN :steps ELSE 0 END AS size
    FROM first_step
),
sized AS (  -- the span that begins with an event
    SELECT group_key, event_time, max(size) AS size
    FROM spans
    GROUP BY group_key, event_time
),
compared AS (
    SELECT
        grouped.*,
        sized.size AS size,
        max(sized.size) OVER (PARTITION BY grouped.group_key) AS largest
    FROM grouped
    LEFT JOIN sized ON grouped.group_key = sized.group_key AND grouped.event_time = sized.event_time
),
marked AS (
    SELECT
        *,
        max(CASE WHEN :enough AND :largest_enough THEN 1 END) OVER (
            PARTITION BY group_key ORDER BY event_time RANGE BETWEEN :span PRECEDING AND CURRENT ROW
        ) AS in_span,
        row_number() OVER (PARTITION BY group_key, account_id, event_id ORDER BY rule) AS place  -- it may meet several
    FROM compared
)
SELECT
    CASE WHEN min(principal_arn) = max(principal_arn) THEN min(principal_arn) END AS principal_arn,
    CASE WHEN min(account_id) = max(account_id) THEN min(account_id) END AS account_id,
    CASE
        WHEN array_join(group_key, ', ') NOT IN ('', COALESCE(min(principal_arn), ''))  -- which say nothing more
            THEN array_join(group_key, ', ')
    END AS resource,
    array_agg(DISTINCT resource_arn ORDER BY resource_arn) AS resources,
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
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM marked
WHERE in_span = 1
  AND place = 1
GROUP BY group_key
ORDER BY group_key
