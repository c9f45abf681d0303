-- title: Web application firewall taken off
-- kind: match
-- severity: medium
-- attack: [T1562.007]
-- pci: ["6.4.2", "1.2.8", "10.7.2"]
-- why: A website or API lost the filter that stops injected commands, guessed passwords and floods of requests. It
--   answers everybody directly from now on.
-- response: Put the web ACL back in front of the resource. Read the access log of the time without it for attacks.
-- false_positives: a load balancer taken down with its firewall; one web ACL exchanged for another
-- blind_spots: rules taken out or set to count inside a web ACL that stays; CloudFront, which names its web ACL in its
--   own settings
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.resourceArn'),
        json_extract_scalar(request_parameters, '$.resourceARN'),
        json_extract_scalar(request_parameters, '$.name'),
        json_extract_scalar(request_parameters, '$.webACLId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source IN ('wafv2.amazonaws.com', 'waf-regional.amazonaws.com', 'waf.amazonaws.com')
  AND event_name IN ('DisassociateWebACL', 'DeleteWebACL')
