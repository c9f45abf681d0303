-- title: One access key used from many networks at once
-- kind: aggregate
-- severity: medium
-- per: resource
-- addresses: lower
-- reads: [cloudtrail_events]
-- params:
--   min_networks: {type: bigint, default: 3, about: public networks that one key was used from in one hour}
-- attack: [T1078.004, T1552.001]
-- pci: ["8.2.2", "8.6.1", "8.6.3", "11.5.1"]
-- why: A long-lived key lies with one person or program, which calls from one or two places. Calls from several
--   networks within an hour mean that the key has copies, or that somebody hides behind changing addresses.
-- response: Find out where the key is used, from the addresses shown. If one is unknown, deactivate the key, make
--   another, and read what it did from there.
-- false_positives: a key shared by servers in several places, or by hosted pipelines; those should have roles
-- blind_spots: copies that are used one after another; thieves in the same network
WITH calls AS (
    SELECT
        principal_arn,
        account_id,
        access_key_id,
        source_ip,
        -- addresses of one network are one place: /24, and for IPv6 about /48
        COALESCE(
            regexp_extract(source_ip, '^[0-9]+\.[0-9]+\.[0-9]+\.'),
            regexp_extract(source_ip, '^[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f]*:')
        ) AS network,
        date_format(event_time, '%Y-%m-%d %H:%i:%s') || ' ' || event_id AS mark,  -- sorts by time, then id
        event_time,
        outcome,
        hand
    FROM cloudtrail_events
    WHERE access_key_id LIKE 'AKIA%'
      AND invoked_by IS NULL
      AND NOT regexp_like(
          source_ip,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
              || '|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab])'
      )
),
places AS (
    SELECT
        principal_arn,
        account_id,
        access_key_id,
        date_trunc('hour', event_time) AS hour_start,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        min(mark) AS first_mark  -- one call from each network is proof enough
    FROM calls
    WHERE network IS NOT NULL
    GROUP BY principal_arn, account_id, access_key_id, date_trunc('hour', event_time), network
),
hours AS (
    SELECT
        principal_arn,
        account_id,
        access_key_id,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(event_count) AS event_count,
        sum(failed_count) AS failed_count,
        array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
        array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
        array_agg(first_mark ORDER BY first_mark) AS marks
    FROM places
    GROUP BY principal_arn, account_id, access_key_id, hour_start
    HAVING count(*) >= :min_networks
)
SELECT
    principal_arn,
    account_id,
    access_key_id AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    transform(array_sort(flatten(array_agg(marks))), mark -> regexp_extract(mark, '[^ ]+$')) AS evidence
FROM hours
GROUP BY principal_arn, account_id, access_key_id
ORDER BY principal_arn, account_id, access_key_id
