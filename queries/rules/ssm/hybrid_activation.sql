-- title: Activation made for hosts outside AWS
-- kind: match
-- severity: medium
-- attack: [T1219, T1651]
-- pci: ["8.6.1", "10.2.1.2", "10.2.1.7"]
-- why: With an activation any machine in the world can join Systems Manager. It then holds a role of this account
--   without any key, and whoever sent it can run commands on your host through an account of theirs.
-- response: Ask for the hosts it was made for. If there are none, delete the activation and every mi-… host that joined
--   with it, and revoke the sessions of its role.
-- false_positives: companies that manage their own servers with Systems Manager
-- blind_spots: hosts of yours that were joined to somebody else's account, which is recorded there
SELECT *,
    json_extract_scalar(request_parameters, '$.iamRole') AS resource
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name = 'CreateActivation'
