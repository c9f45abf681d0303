-- title: Changes of security group rules, peer by peer
-- about: One row for each rule and peer that a call names. A rule taken back by its id alone has no ports and no peer
--   unless the answer of AWS tells them. `internet` is a network of more than half of what an address can be, /0 to /6.
-- reads: [cloudtrail_events]
WITH changes AS (
    SELECT
        event_time,
        event_id,
        account_id,
        aws_region,
        event_name,
        outcome,
        principal_arn,
        principal_name,
        hand,
        source_ip,
        COALESCE(
            json_extract_scalar(request_parameters, '$.groupId'),
            json_extract_scalar(request_parameters, '$.ModifySecurityGroupRulesRequest.GroupId'),
            regexp_extract(resource_arn, '[^/]+$')
        ) AS group_id,
        COALESCE(
            TRY_CAST(json_extract(request_parameters, '$.ipPermissions.items') AS ARRAY(JSON)),
            TRY_CAST(
                json_extract(request_parameters, '$.ModifySecurityGroupRulesRequest.SecurityGroupRule') AS ARRAY(JSON)
            ),
            TRY_CAST(json_extract(response_elements, '$.revokedSecurityGroupRuleSet.items') AS ARRAY(JSON)),
            ARRAY[
                COALESCE(
                    json_extract(request_parameters, '$.ModifySecurityGroupRulesRequest.SecurityGroupRule'),
                    json_extract(request_parameters, '$')
                )
            ]
        ) AS permissions
    FROM cloudtrail_events
    WHERE event_source = 'ec2.amazonaws.com'
      AND event_name IN (
          'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress',
          'RevokeSecurityGroupEgress', 'ModifySecurityGroupRules'
      )
),
rules AS (
    SELECT
        changes.*,
        COALESCE(
            json_extract_scalar(permission, '$.ipProtocol'),
            json_extract_scalar(permission, '$.SecurityGroupRule.IpProtocol')
        ) AS ip_protocol,
        TRY_CAST(
            COALESCE(
                json_extract_scalar(permission, '$.fromPort'),
                json_extract_scalar(permission, '$.SecurityGroupRule.FromPort')
            ) AS BIGINT
        ) AS from_port,
        TRY_CAST(
            COALESCE(
                json_extract_scalar(permission, '$.toPort'),
                json_extract_scalar(permission, '$.SecurityGroupRule.ToPort')
            ) AS BIGINT
        ) AS to_port,
        flatten(ARRAY[
            transform(
                TRY_CAST(json_extract(permission, '$.groups.items') AS ARRAY(JSON)),
                item -> COALESCE(json_extract_scalar(item, '$.groupId'), json_extract_scalar(item, '$.groupName'))
            ),
            transform(
                TRY_CAST(json_extract(permission, '$.ipRanges.items') AS ARRAY(JSON)),
                item -> json_extract_scalar(item, '$.cidrIp')
            ),
            transform(
                TRY_CAST(json_extract(permission, '$.ipv6Ranges.items') AS ARRAY(JSON)),
                item -> json_extract_scalar(item, '$.cidrIpv6')
            ),
            transform(
                TRY_CAST(json_extract(permission, '$.prefixListIds.items') AS ARRAY(JSON)),
                item -> json_extract_scalar(item, '$.prefixListId')
            ),
            filter(
                ARRAY[
                    json_extract_scalar(permission, '$.cidrIp'),
                    json_extract_scalar(permission, '$.cidrIpv4'),
                    json_extract_scalar(permission, '$.cidrIpv6'),
                    json_extract_scalar(permission, '$.prefixListId'),
                    json_extract_scalar(permission, '$.referencedGroupId'),
                    json_extract_scalar(permission, '$.sourceSecurityGroupName'),
                    json_extract_scalar(permission, '$.SecurityGroupRule.CidrIpv4'),
                    json_extract_scalar(permission, '$.SecurityGroupRule.CidrIpv6'),
                    json_extract_scalar(permission, '$.SecurityGroupRule.PrefixListId'),
                    json_extract_scalar(permission, '$.SecurityGroupRule.ReferencedGroupId')
                ],
                item -> item IS NOT NULL
            )
        ]) AS peers
    FROM changes
    CROSS JOIN UNNEST(permissions) AS t(permission)
)
SELECT
    event_time,
    CASE
        WHEN event_name LIKE 'Authorize%' THEN 'opened'
        WHEN event_name LIKE 'Revoke%' THEN 'closed'
        ELSE 'changed'
    END AS change,
    CASE WHEN event_name LIKE '%Ingress' THEN 'ingress' WHEN event_name LIKE '%Egress' THEN 'egress' END AS direction,
    group_id,
    ip_protocol,
    from_port,
    to_port,
    peer,
    CASE
        WHEN peer LIKE 'sg-%' THEN 'group'
        WHEN peer LIKE 'pl-%' THEN 'prefix list'
        WHEN regexp_like(peer, '/[0-6]$') THEN 'internet'
        WHEN strpos(peer, '/') > 0 THEN 'network'
        WHEN peer IS NOT NULL THEN 'group'
    END AS peer_kind,
    outcome,
    principal_name,
    hand,
    source_ip,
    principal_arn,
    account_id,
    aws_region,
    event_id
FROM rules
LEFT JOIN UNNEST(peers) AS t(peer) ON TRUE
ORDER BY event_time, event_id, account_id, group_id, from_port, to_port, ip_protocol, peer
