-- title: Much data sent to one public address in a day
-- kind: aggregate
-- severity: medium
-- per: resource
-- reads: [flow_records]
-- params:
--   min_bytes: {type: bigint, default: 5000000000, about: bytes from one source to one public address in one day}
-- attack: [T1048, T1030, T1567]
-- pci: ["1.3.2", "1.4.4", "11.5.1"]
-- why: One workload sent gigabytes to one address on the internet within a day, perhaps in small pieces. Stolen data
--   leaves like this, slowly enough to stay below limits on single transfers.
-- response: Find out whose address it is and which program sent there. If its owner does not know, cut the workload
--   off, keep it for examination, and find out what data it could read.
-- false_positives: backups, log shipping and uploads to partners; a VPN or proxy; the same bytes seen again at a NAT
--   gateway, whose own interface is a source as well
-- blind_spots: data spread over many addresses, as at a large storage service; uploads to S3 by gateway endpoint; what
--   a public server answers to those who ask it
WITH sent AS (
    SELECT
        account_id,
        COALESCE(ecs_service_name, instance_id, interface_id) AS workload,
        srcaddr,
        dstaddr,
        event_date,
        min(interface_id) AS interface_id,
        min(start_time) AS first_seen,
        max(end_time) AS last_seen,
        sum(bytes) AS byte_count,
        count(*) AS record_count
    FROM flow_records
    WHERE action = 'ACCEPT'
      AND (
          flow_direction = 'egress'
          OR (
              flow_direction IS NULL
              AND regexp_like(
                  srcaddr,
                  '^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^[Ff][CcDd]'
              )
          )
      )
      AND NOT regexp_like(
          dstaddr,
          '^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])'
              || '|22[4-9]|2[345][0-9])\.|^(::1?$|[Ff][CcDd]|[Ff][Ee][89ABab]|[Ff][Ff])'
      )
      AND NOT (dstport >= 32768 AND COALESCE(srcport, 32768) < 32768)  -- a server answering its clients
      AND COALESCE(pkt_dst_aws_service, '') NOT IN ('S3', 'DYNAMODB')
    GROUP BY account_id, COALESCE(ecs_service_name, instance_id, interface_id), srcaddr, dstaddr, event_date
    HAVING sum(bytes) >= :min_bytes
)
SELECT
    CAST(NULL AS VARCHAR) AS principal_arn,
    account_id,
    workload AS resource,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(record_count) AS event_count,
    0 AS failed_count,
    array_agg(DISTINCT srcaddr ORDER BY srcaddr) AS source_ips,
    slice(
        array_sort(array_agg(DISTINCT
            interface_id || ' ' || srcaddr || '>' || dstaddr || ' ' || CAST(event_date AS VARCHAR) || ' '
                || CAST(byte_count AS VARCHAR) || ' bytes'
        )),
        1,
        100
    ) AS evidence
FROM sent
GROUP BY account_id, workload
ORDER BY account_id, workload
