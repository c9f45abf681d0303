-- title: Account taken out of the organization or closed
-- kind: match
-- severity: high
-- per: resource
-- attack: [T1666, T1531]
-- pci: ["7.2.1", "10.2.1.7"]
-- why: An account that leaves the organization leaves its guard rails, logs and bill behind; one that joins another
--   answers to strangers. A closed account takes all it holds with it.
-- response: Ask the cloud team. If they do not know of it, invite the account back, or have AWS reopen it (possible for
--   90 days), and revoke the sessions of the principal.
-- false_positives: accounts that are sold, merged or retired
-- blind_spots: accounts that leave by themselves (logging.organization_left); accounts moved inside the organization
SELECT *,
    COALESCE(
        json_extract_scalar(request_parameters, '$.accountId'),
        json_extract_scalar(request_parameters, '$.handshakeId'),
        resource_arn
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'organizations.amazonaws.com'
  AND event_name IN ('RemoveAccountFromOrganization', 'CloseAccount', 'AcceptHandshake')
