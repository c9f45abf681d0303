-- title: Large range added to a prefix list
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   widest_ipv4: {type: bigint, default: 12, about: a public IPv4 range with a prefix this short is large}
--   widest_ipv6: {type: bigint, default: 24, about: a public IPv6 range with a prefix this short is large}
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.3.1", "1.4.2"]
-- why: A prefix list stands in security groups and route tables instead of addresses, so a range added here opens all
--   of them at once. None of those groups shows a change of its own.
-- response: Take the entry out again. List where the prefix list is used, in other accounts too if it is shared, and
--   see in the flow records who came through.
-- false_positives: a list that is meant for ways out, such as routes to an inspection appliance
-- blind_spots: many small ranges; the log does not say where the list is used, nor which way
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.ModifyManagedPrefixListRequest.PrefixListId'),
        json_extract_scalar(request_parameters, '$.CreateManagedPrefixListRequest.PrefixListName'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('ModifyManagedPrefixList', 'CreateManagedPrefixList')
  AND any_match(
      regexp_extract_all(
          COALESCE(
              json_format(json_extract(request_parameters, '$.ModifyManagedPrefixListRequest.AddEntry')),
              json_format(json_extract(request_parameters, '$.CreateManagedPrefixListRequest.Entry'))
          ),
          '"[Cc]idr"\s*:\s*"[^"\\]*"'
      ),
      added -> (
          (
              strpos(added, '.') > 0
              AND TRY_CAST(regexp_extract(added, '/([0-9]+)"', 1) AS BIGINT) <= :widest_ipv4
              AND NOT regexp_like(  -- private, all of it
                  added,
                  '"(10\.[0-9.]+/([89]|1[0-9])|172\.16\.[0-9.]+/1[2-9]|100\.(64|80|96|112)\.[0-9.]+/1[0-9])"'
              )
          )
          OR (
              strpos(added, '.') = 0
              AND TRY_CAST(regexp_extract(added, '/([0-9]+)"', 1) AS BIGINT) <= :widest_ipv6
              AND NOT regexp_like(added, '"[Ff][CcDd][0-9A-Fa-f:]*/([789]|[12][0-9])"')
          )
      )
  )
