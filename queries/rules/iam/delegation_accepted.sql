-- title: Outside provider allowed to act in the account
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1199, T1548.005]
-- pci: ["7.2.1", "8.2.7", "12.8.1", "10.2.1.5"]
-- why: A request for temporary delegation was accepted, so a product's maker may act in the account for hours with the
--   rights of whoever accepted, and may leave a role behind. People are led to accept such a request as they are to a
--   link.
-- response: Ask the principal which product it was for. If they did not mean to, look for events whose userIdentity has
--   invokedByDelegate, undo what those did, and delete the roles they made.
-- false_positives: a product of the Marketplace being set up
-- blind_spots: what was asked for, of which the log has the id only
SELECT *,
    json_extract_scalar(request_parameters, '$.delegationRequestId') AS resource
FROM cloudtrail_events
WHERE event_source = 'iam.amazonaws.com'
  AND event_name IN ('AcceptDelegationRequest', 'SendDelegationToken')
