-- title: "CloudTrail management events in Amazon Security Lake, source version 2 (OCSF 1.1)"
-- about: >-
--   Security Lake takes a record apart: what OCSF has a place for stands there, and the rest stays in `unmapped` under
--   its path, as text. additional_event_data and user_identity are put together again, all values as text, deeper
--   members under their path; extra has what is left in `unmapped`. An empty text is NULL here. Times are to the
--   millisecond. The window is on `time_dt`, by which the table is partitioned.
-- then: cloudtrail_events
-- columns:
--   metadata: row(product row(version varchar, feature row(name varchar)), event_code varchar, uid varchar)
--   time_dt: timestamp
--   cloud: row(region varchar, account row(uid varchar))
--   api: >-
--     row(response row(error varchar, message varchar, data varchar), operation varchar, version varchar,
--     service row(name varchar), request row(data varchar, uid varchar))
--   actor: >-
--     row(user row(type varchar, name varchar, uid_alt varchar, uid varchar, account row(uid varchar),
--     credential_uid varchar), session row(created_time_dt timestamp, is_mfa boolean, issuer varchar),
--     invoked_by varchar, idp row(name varchar))
--   http_request: row(user_agent varchar)
--   src_endpoint: row(uid varchar, ip varchar, domain varchar)
--   dst_endpoint: row(svc_name varchar)
--   is_mfa: boolean
--   resources: array(row(uid varchar, owner row(account row(uid varchar)), type varchar))
--   unmapped: map(varchar, varchar)
--   accountid: varchar
--   region: varchar
--   $path: varchar
-- needs: [time_dt, metadata, api, actor]

WITH members AS (  -- of a record, under short names
    SELECT
        time_dt,
        NULLIF(metadata.uid, '') AS event_id,
        NULLIF(metadata.event_code, '') AS event_type,
        NULLIF(metadata.product.feature.name, '') AS event_category,
        NULLIF(metadata.product.version, '') AS event_version,
        NULLIF(api.service.name, '') AS event_source,
        NULLIF(api.operation, '') AS event_name,
        NULLIF(api.version, '') AS api_version,
        NULLIF(api.response.error, '') AS error_code,
        NULLIF(api.response.message, '') AS error_message,
        NULLIF(api.response.data, '') AS response_data,
        NULLIF(api.request.data, '') AS request_data,
        NULLIF(NULLIF(api.request.uid, ''), '''''') AS request_id,  -- two quotes are how some have nothing
        COALESCE(NULLIF(cloud.region, ''), region) AS aws_region,
        COALESCE(
            NULLIF(element_at(unmapped, 'recipientAccountId'), ''), NULLIF(cloud.account.uid, ''), accountid
        ) AS recipient_account,
        COALESCE(NULLIF(src_endpoint.ip, ''), NULLIF(src_endpoint.domain, '')) AS source_ip,
        NULLIF(src_endpoint.uid, '') AS vpc_endpoint_id,
        NULLIF(dst_endpoint.svc_name, '') AS login_to,
        NULLIF(http_request.user_agent, '') AS user_agent,
        is_mfa AS login_mfa,
        NULLIF(actor.user.type, '') AS identity_type,
        NULLIF(actor.user.uid, '') AS identity_arn,
        NULLIF(actor.user.account.uid, '') AS identity_account,
        -- of a user of Identity Center, these two hold the id of the user and of the credential
        NULLIF(IF(actor.user.type = 'IdentityCenterUser', NULL, actor.user.uid_alt), '') AS principal_id,
        NULLIF(IF(actor.user.type = 'IdentityCenterUser', NULL, actor.user.credential_uid), '') AS access_key_id,
        NULLIF(
            IF(
                actor.user.type = 'IdentityCenterUser',
                actor.user.credential_uid,
                element_at(unmapped, 'userIdentity.credentialId')
            ),
            ''
        ) AS credential_id,
        NULLIF(
            IF(
                actor.user.type = 'IdentityCenterUser',
                actor.user.uid_alt,
                element_at(unmapped, 'userIdentity.onBehalfOf.userId')
            ),
            ''
        ) AS on_behalf_of,
        NULLIF(actor.user.name, '') AS identity_name,
        NULLIF(actor.session.issuer, '') AS issuer_arn,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.sessionIssuer.type'), '') AS issuer_type,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.sessionIssuer.principalId'), '') AS issuer_id,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.sessionIssuer.accountId'), '') AS issuer_account,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.sessionIssuer.userName'), '') AS issuer_name,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.sourceIdentity'), '') AS source_identity,
        NULLIF(element_at(unmapped, 'userIdentity.sessionContext.ec2RoleDelivery'), '') AS ec2_role_delivery,
        actor.session.is_mfa AS mfa,
        actor.session.created_time_dt AS session_created,
        NULLIF(actor.invoked_by, '') AS invoked_by,
        NULLIF(actor.idp.name, '') AS identity_provider,
        resources,
        unmapped,
        array_sort(COALESCE(map_keys(unmapped), CAST(ARRAY[] AS ARRAY(VARCHAR)))) AS unmapped_names,
        "$path" AS log_file
    FROM stored_cloudtrail_events
    WHERE :within_partitions
      AND time_dt >= :window_start
      AND time_dt < :window_end
)

SELECT
    CAST(date_trunc('millisecond', time_dt) AS TIMESTAMP(3)) AS event_time,
    COALESCE(
        event_id,
        'sha256:' || substr(lower(to_hex(sha256(to_utf8(array_join(
            ARRAY[
                date_format(time_dt, '%Y-%m-%d %H:%i:%s'), event_source, event_name, aws_region, recipient_account,
                source_ip, user_agent, identity_arn, principal_id, invoked_by, error_code
            ],
            '|',
            ''
        ))))), 1, 32)
    ) AS event_id,
    event_source,
    event_name,
    event_type,
    NULLIF(event_category, 'Management, Data, and Insights') AS event_category,  -- where the log says none
    CASE element_at(unmapped, 'readOnly') WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END AS read_only,
    aws_region,
    COALESCE(recipient_account, identity_account, issuer_account) AS account_id,
    source_ip,
    user_agent,
    error_code,
    error_message,
    identity_type,
    identity_arn,
    identity_account,
    principal_id,
    IF(identity_type = 'IdentityCenterUser', NULL, identity_name) AS user_name,  -- it has none in its own record
    issuer_arn,
    issuer_name,
    issuer_account,
    access_key_id,
    invoked_by,
    mfa,
    CAST(date_trunc('millisecond', session_created) AS TIMESTAMP(3)) AS session_created,
    source_identity,
    on_behalf_of,
    transform(filter(resources, resource -> resource.uid <> ''), resource -> resource.uid) AS listed_arns,
    -- what is redacted as a whole is a word where an object should be
    IF(regexp_like(request_data, '^[{\["]'), request_data,
        json_format(CAST(NULLIF(request_data, 'null') AS JSON))) AS request_parameters,
    IF(regexp_like(response_data, '^[{\["]'), response_data,
        json_format(CAST(NULLIF(response_data, 'null') AS JSON))) AS response_elements,
    NULLIF('{' || array_join(
        ARRAY[
            '"LoginTo":' || json_format(CAST(login_to AS JSON)),
            CASE WHEN login_mfa THEN '"MFAUsed":"Yes"' WHEN NOT login_mfa THEN '"MFAUsed":"No"' END
        ] || transform(
            filter(unmapped_names, name -> starts_with(name, 'additionalEventData.')),
            name -> json_format(CAST(substr(name, 21) AS JSON)) || ':'
                || json_format(CAST(element_at(unmapped, name) AS JSON))
        ),
        ','
    ) || '}', '{}') AS additional_event_data,
    '[' || array_join(
        transform(
            resources,
            resource -> '{' || array_join(ARRAY[
                '"accountId":' || json_format(CAST(resource.owner.account.uid AS JSON)),
                '"type":' || json_format(CAST(resource.type AS JSON)),
                '"ARN":' || json_format(CAST(resource.uid AS JSON))
            ], ',') || '}'
        ),
        ','
    ) || ']' AS resources,
    NULLIF('{' || array_join(ARRAY[
        '"type":' || json_format(CAST(identity_type AS JSON)),
        '"principalId":' || json_format(CAST(principal_id AS JSON)),
        '"arn":' || json_format(CAST(identity_arn AS JSON)),
        '"accountId":' || json_format(CAST(identity_account AS JSON)),
        '"accessKeyId":' || json_format(CAST(access_key_id AS JSON)),
        '"userName":' || json_format(CAST(identity_name AS JSON)),
        NULLIF('"sessionContext":{' || array_join(ARRAY[
            NULLIF('"sessionIssuer":{' || array_join(ARRAY[
                '"type":' || json_format(CAST(issuer_type AS JSON)),
                '"principalId":' || json_format(CAST(issuer_id AS JSON)),
                '"arn":' || json_format(CAST(issuer_arn AS JSON)),
                '"accountId":' || json_format(CAST(issuer_account AS JSON)),
                '"userName":' || json_format(CAST(issuer_name AS JSON))
            ], ',') || '}', '"sessionIssuer":{}'),
            CASE
                WHEN identity_type NOT IN ('SAMLUser', 'WebIdentityUser')
                THEN '"webIdFederationData":{"federatedProvider":'
                    || json_format(CAST(identity_provider AS JSON)) || '}'
            END,
            NULLIF('"attributes":{' || array_join(ARRAY[
                '"creationDate":"' || date_format(session_created, '%Y-%m-%dT%H:%i:%sZ') || '"',
                CASE WHEN mfa THEN '"mfaAuthenticated":"true"' WHEN NOT mfa THEN '"mfaAuthenticated":"false"' END
            ], ',') || '}', '"attributes":{}'),
            '"sourceIdentity":' || json_format(CAST(source_identity AS JSON)),
            '"ec2RoleDelivery":' || json_format(CAST(ec2_role_delivery AS JSON))
        ], ',') || '}', '"sessionContext":{}'),
        '"invokedBy":' || json_format(CAST(invoked_by AS JSON)),
        CASE
            WHEN identity_type IN ('SAMLUser', 'WebIdentityUser')
            THEN '"identityProvider":' || json_format(CAST(identity_provider AS JSON))
        END,
        '"onBehalfOf":{"userId":' || json_format(CAST(on_behalf_of AS JSON)) || '}',
        '"credentialId":' || json_format(CAST(credential_id AS JSON))
    ], ',') || '}', '{}') AS user_identity,
    request_id,
    NULLIF(
        COALESCE(element_at(unmapped, 'sharedEventID'), element_at(unmapped, 'sharedEventId')), ''
    ) AS shared_event_id,
    vpc_endpoint_id,
    NULLIF(element_at(unmapped, 'tlsDetails.tlsVersion'), '') AS tls_version,
    NULLIF('{' || array_join(
        ARRAY[
            '"eventVersion":' || json_format(CAST(event_version AS JSON)),
            '"apiVersion":' || json_format(CAST(api_version AS JSON))
        ] || transform(
            filter(
                unmapped_names,
                name -> NOT regexp_like(
                    name,
                    '^(additionalEventData|userIdentity\.(sessionContext\.sessionIssuer|onBehalfOf))\.'
                    || '|^(userIdentity\.(sessionContext\.(sourceIdentity|ec2RoleDelivery)|credentialId))\z'
                    || '|^(readOnly|recipientAccountId|sharedEventI[Dd])\z'
                )
            ),
            name -> json_format(CAST(name AS JSON)) || ':'
                || json_format(CAST(NULLIF(element_at(unmapped, name), '') AS JSON))
        ),
        ','
    ) || '}', '{}') AS extra,
    log_file
FROM members
