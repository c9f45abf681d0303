-- title: Access log of a bucket, load balancer or firewall off
-- kind: match
-- severity: medium
-- attack: [T1562.008]
-- pci: ["10.2.1", "10.2.1.1", "10.7.2"]
-- why: Who asks this bucket, website, cluster or firewall for what is no longer written down. CloudTrail does not show
--   it either, so a theft of data would leave no trace.
-- response: Switch the log on again and take the time until then as unobserved. Ask the principal.
-- false_positives: something taken down; a log moved to another place, which is switched off first
-- blind_spots: access logs of API Gateway, CloudFront and databases; whether the log was on before
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.bucketName'),
        json_extract_scalar(request_parameters, '$.loadBalancerArn'),
        json_extract_scalar(request_parameters, '$.loadBalancerName'),
        json_extract_scalar(request_parameters, '$.resourceArn'),
        json_extract_scalar(request_parameters, '$.firewallName'),
        json_extract_scalar(request_parameters, '$.firewallArn'),
        json_extract_scalar(request_parameters, '$.name'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_name IN ('PutBucketLogging', 'ModifyLoadBalancerAttributes', 'DeleteLoggingConfiguration',
                     'UpdateLoggingConfiguration', 'UpdateClusterConfig')
  AND (
      event_source = 's3.amazonaws.com'
      AND event_name = 'PutBucketLogging'
      AND json_extract(request_parameters, '$.BucketLoggingStatus') IS NOT NULL
      AND json_extract(request_parameters, '$.BucketLoggingStatus.LoggingEnabled') IS NULL
      OR event_source = 'elasticloadbalancing.amazonaws.com'
      AND (
          any_match(
              TRY_CAST(json_extract(request_parameters, '$.attributes') AS ARRAY(JSON)),
              attribute -> json_extract_scalar(attribute, '$.key') = 'access_logs.s3.enabled'
                  AND json_extract_scalar(attribute, '$.value') = 'false'
          )
          OR json_extract_scalar(request_parameters, '$.loadBalancerAttributes.accessLog.enabled') = 'false'
      )
      OR event_source IN ('wafv2.amazonaws.com', 'waf-regional.amazonaws.com', 'waf.amazonaws.com')
      AND event_name = 'DeleteLoggingConfiguration'
      OR event_source = 'network-firewall.amazonaws.com'
      AND regexp_like(request_parameters, '"logDestinationConfigs"\s*:\s*\[\s*\]')
      OR event_source = 'eks.amazonaws.com'
      AND any_match(
          TRY_CAST(json_extract(request_parameters, '$.logging.clusterLogging') AS ARRAY(JSON)),
          setup -> json_extract_scalar(setup, '$.enabled') = 'false'
              AND regexp_like(json_format(json_extract(setup, '$.types')), '"audit"')
      )
  )
