-- title: Security group opened to a large part of the internet
-- kind: match
-- severity: high
-- yields_to: [network.security_group_open]
-- per: resource
-- params:
--   widest_ipv4: {type: bigint, default: 12, about: a public IPv4 range with a prefix this short is large}
--   widest_ipv6: {type: bigint, default: 24, about: a public IPv6 range with a prefix this short is large}
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.3.1", "1.4.2"]
-- cis: ["3.0/4.10", "7.0/5.10"]
-- why: A rule lets in millions of public addresses without saying 0.0.0.0/0. Two halves of the internet are as open as
--   the whole, and checks that look for 0.0.0.0/0 do not see them.
-- response: Revoke the rule or limit it to the addresses that need it. Ask why the range was written like this, and see
--   in the flow records who came through in the meantime.
-- false_positives: the published ranges of a provider, on purpose
-- blind_spots: many smaller ranges that add up to as much; prefix lists (network.prefix_list_widened); an egress rule
--   changed with ModifySecurityGroupRules looks the same as an ingress rule
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.groupId'),
        json_extract_scalar(request_parameters, '$.ModifySecurityGroupRulesRequest.GroupId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
  AND any_match(
      regexp_extract_all(request_parameters, '"[Cc]idrIp(?:v[46])?"\s*:\s*"[^"\\]*"'),
      allowed -> (
          (
              strpos(allowed, '.') > 0
              AND TRY_CAST(regexp_extract(allowed, '/([0-9]+)"', 1) AS BIGINT) BETWEEN 1 AND :widest_ipv4
              AND NOT regexp_like(  -- private, all of it
                  allowed,
                  '"(10\.[0-9.]+/([89]|1[0-9])|172\.16\.[0-9.]+/1[2-9]|100\.(64|80|96|112)\.[0-9.]+/1[0-9])"'
              )
          )
          OR (
              strpos(allowed, '.') = 0
              AND TRY_CAST(regexp_extract(allowed, '/([0-9]+)"', 1) AS BIGINT) BETWEEN 1 AND :widest_ipv6
              AND NOT regexp_like(allowed, '"[Ff][CcDd][0-9A-Fa-f:]*/([789]|[12][0-9])"')
          )
      )
  )
