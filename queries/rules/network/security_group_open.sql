-- title: Security group opened to the whole internet
-- kind: match
-- severity: high
-- per: resource
-- params:
--   web_ports: {type: array(bigint), default: [80, 443], about: ports that may be open to everyone}
-- attack: [T1562.007]
-- pci: ["1.2.5", "1.3.1", "1.4.2"]
-- cis: ["3.0/4.10", "7.0/5.10"]
-- why: Every address in the world may now reach the ports named in the rule. Open database and administration ports are
--   found by scanners within minutes.
-- response: Revoke the rule or limit it to the addresses that need it. See in the flow records who came through in the
--   meantime (network.remote_admin_from_internet, network.database_port_from_internet).
-- false_positives: a public service on an unusual port; name such ports in web_ports
-- blind_spots: groups opened to half the world (0.0.0.0/1), by prefix list, or open before the window; an egress rule
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
  AND (
      (
          json_extract_scalar(request_parameters, '$.cidrIp') LIKE '%/0'
          AND NOT COALESCE(
              TRY_CAST(json_extract_scalar(request_parameters, '$.fromPort') AS BIGINT) IN (:web_ports)
              AND json_extract_scalar(request_parameters, '$.toPort')
                  = json_extract_scalar(request_parameters, '$.fromPort'),
              FALSE
          )
      )
      OR any_match(
          TRY_CAST(json_extract(request_parameters, '$.ipPermissions.items') AS ARRAY(JSON)),
          permission -> regexp_like(json_format(permission), '"cidrIp(v6)?"\s*:\s*"[^"/]*/0"')
              AND NOT COALESCE(
                  TRY_CAST(json_extract_scalar(permission, '$.fromPort') AS BIGINT) IN (:web_ports)
                  AND json_extract_scalar(permission, '$.toPort') = json_extract_scalar(permission, '$.fromPort'),
                  FALSE
              )
      )
      OR any_match(
          ARRAY[json_extract(request_parameters, '$.ModifySecurityGroupRulesRequest.SecurityGroupRule')],
          changes -> any_match(
              COALESCE(TRY_CAST(changes AS ARRAY(JSON)), ARRAY[changes]),
              change -> regexp_like(json_format(change), '"CidrIpv[46]"\s*:\s*"[^"/]*/0"')
                  AND NOT COALESCE(
                      TRY_CAST(json_extract_scalar(change, '$.SecurityGroupRule.FromPort') AS BIGINT) IN (:web_ports)
                      AND json_extract_scalar(change, '$.SecurityGroupRule.ToPort')
                          = json_extract_scalar(change, '$.SecurityGroupRule.FromPort'),
                      FALSE
                  )
          )
      )
  )
