-- title: Task given a public address
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1133, T1190]
-- pci: ["1.3.1", "1.4.1", "1.4.4"]
-- why: The tasks get addresses of the internet instead of standing behind a load balancer. Whatever their security
--   groups let through can be reached by everybody, and traffic out passes no gateway of yours.
-- response: Read the security groups named in the call. Move the tasks into private subnets, behind a load balancer and
--   a NAT gateway or endpoints.
-- false_positives: accounts that save the NAT gateway this way; a gateway that has to be public
-- blind_spots: which ports are open (network.security_group_open); hosts that have public addresses themselves
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN ('CreateService', 'UpdateService', 'RunTask', 'StartTask', 'CreateTaskSet')
  AND json_extract_scalar(request_parameters, '$.networkConfiguration.awsvpcConfiguration.assignPublicIp') = 'ENABLED'
