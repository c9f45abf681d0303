-- title: How each identity was used
-- about: One row for each key, principal and session that called, with when, how often and from where. A session
--   without a key of its own (sign-in events name none) is told apart by the time its credentials were issued. Lists
--   that are not given let everything through. Addresses are the first twenty in the order of text; address_count has
--   them all.
-- reads: [cloudtrail_events]
-- params:
--   access_keys: {type: array(varchar), default: [], about: "ids of access keys, 254 at most"}
--   principals: {type: array(varchar), default: [], about: "ARNs of principals, 254 at most"}
--   session_names: {type: array(varchar), default: [], about: "names of role sessions, 254 at most"}
WITH uses AS (
    SELECT
        access_key_id,
        principal_arn,
        session_name,
        identity_type,
        principal_account,
        session_created,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome = 'denied') AS denied_count,
        min(source_identity) AS source_identity,
        min(on_behalf_of) AS on_behalf_of,
        count_if(mfa) > 0 AS mfa,
        min(invoked_by) AS invoked_by,
        min(user_identity) AS user_identity,
        min(event_id) AS event_id,
        count(DISTINCT source_ip) AS address_count,
        array_join(slice(array_sort(array_agg(DISTINCT source_ip)), 1, 20), ', ') AS addresses
    FROM cloudtrail_events
    WHERE (cardinality(:access_keys) = 0 OR access_key_id IN (:access_keys))
      AND (cardinality(:principals) = 0 OR principal_arn IN (:principals))
      AND (cardinality(:session_names) = 0 OR session_name IN (:session_names))
    GROUP BY access_key_id, principal_arn, session_name, identity_type, principal_account, session_created
)
SELECT
    access_key_id,
    principal_arn,
    session_name,
    identity_type,
    principal_account,
    session_created,
    first_seen,
    last_seen,
    event_count,
    denied_count,
    source_identity,
    on_behalf_of,
    mfa,
    invoked_by,
    json_extract_scalar(user_identity, '$.principalId') AS principal_id,
    json_extract_scalar(user_identity, '$.sessionContext.ec2RoleDelivery') AS ec2_role_delivery,
    json_extract_scalar(user_identity, '$.sessionContext.assumedRoot') AS assumed_root,
    json_extract_scalar(user_identity, '$.inScopeOf.sourceArn') AS in_scope_of,
    event_id,
    address_count,
    addresses
FROM uses
ORDER BY first_seen, access_key_id, principal_arn, session_name, identity_type, principal_account, session_created
