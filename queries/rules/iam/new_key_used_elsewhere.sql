-- title: New access key used from an unknown address
-- kind: aggregate
-- severity: high
-- per: resource
-- addresses: lower
-- reads: [cloudtrail_events]
-- attack: [T1098.001, T1078.004]
-- pci: ["8.2.4", "8.6.1", "10.2.1.5", "11.5.1"]
-- why: An access key was made and then used from an address that is not its maker's and that no other key of the
--   account came from. Either the key was made for somebody outside, or it was lost within hours.
-- response: Ask the maker for whom the key is and where it should run. If the address is unknown, deactivate the key,
--   read what it did, and look at what else its maker has done.
-- false_positives: a key for a vendor, or for a server that nothing else runs on
-- blind_spots: a thief who works where the maker works; keys made before the window
WITH calls AS (
    SELECT
        account_id,
        principal_arn,
        principal_name,
        source_ip,
        event_time,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        outcome,
        hand,
        event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey' AND outcome = 'ok' AS makes,
        CASE
            WHEN event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey' AND outcome = 'ok'
            THEN json_extract_scalar(response_elements, '$.accessKey.accessKeyId')
            ELSE access_key_id
        END AS key_id
    FROM cloudtrail_events
    WHERE access_key_id LIKE 'AKIA%'
       OR (event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey')
),
uses AS (
    SELECT
        account_id,
        principal_arn,
        principal_name,
        key_id,
        source_ip,
        makes,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        min(mark) AS first_mark  -- one call from each address is proof enough
    FROM calls
    WHERE key_id IS NOT NULL
    GROUP BY account_id, principal_arn, principal_name, key_id, source_ip, makes
),
judged AS (
    SELECT
        *,
        min(CASE WHEN makes THEN first_seen END) OVER (PARTITION BY key_id) AS made,
        max(CASE WHEN makes THEN source_ip END) OVER (PARTITION BY key_id) AS made_from,
        max(CASE WHEN makes THEN principal_arn END) OVER (PARTITION BY key_id) AS maker,
        max(CASE WHEN makes THEN first_mark END) OVER (PARTITION BY key_id) AS mark_of_making,
        min(principal_arn) OVER (PARTITION BY account_id, source_ip)
            <> max(principal_arn) OVER (PARTITION BY account_id, source_ip) AS is_shared
    FROM uses
)
SELECT
    maker AS principal_arn,
    account_id,
    principal_name AS resource,
    min(made) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) + count(DISTINCT mark_of_making) AS event_count,
    sum(failed_count) AS failed_count,
    array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    transform(
        array_sort(array_distinct(flatten(array_agg(ARRAY[mark_of_making, first_mark])))),
        mark -> regexp_extract(mark, '[^ ]+$')
    ) AS evidence
FROM judged
WHERE NOT makes
  AND source_ip <> made_from
  AND NOT is_shared
  AND regexp_like(source_ip, '^[0-9.]+$|^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$')
  AND NOT regexp_like(
      source_ip,
      '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
          || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
  )
GROUP BY maker, account_id, principal_name
ORDER BY maker, account_id, principal_name
