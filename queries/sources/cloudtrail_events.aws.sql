-- title: A CloudTrail table as the AWS documentation declares it, over the files of a trail
-- about: >-
--   JSON text is as the table gives it, but user_identity, resources and, in extra, tlsDetails and addendum are written
--   anew from their members: what the table does not declare is not in them, nor are null, {} and the order of the log.
--   Of the members that AWS adds to its records, extra has those that stand below. Times are to the millisecond; a row
--   whose time cannot be read is in no window. An event without an id gets one made of its columns, which is not the
--   one that a store gives it.
-- then: cloudtrail_events
-- columns:
--   eventversion: varchar
--   useridentity: >-
--     row(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar, accesskeyid varchar,
--     username varchar, onbehalfof row(userid varchar, identitystorearn varchar),
--     inscopeof row(sourcearn varchar, sourceaccount varchar, issuertype varchar, credentialsissuedto varchar),
--     credentialid varchar, identityprovider varchar, invokedbydelegate row(accountid varchar),
--     sessioncontext row(attributes row(mfaauthenticated varchar, creationdate varchar),
--     sessionissuer row(type varchar, principalid varchar, arn varchar, accountid varchar, username varchar),
--     ec2roledelivery varchar, webidfederationdata row(federatedprovider varchar, attributes map(varchar, varchar)),
--     sourceidentity varchar, assumedroot varchar, signinsessionarn varchar))
--   eventtime: varchar
--   eventsource: varchar
--   eventname: varchar
--   awsregion: varchar
--   sourceipaddress: varchar
--   useragent: varchar
--   errorcode: varchar
--   errormessage: varchar
--   requestparameters: varchar
--   responseelements: varchar
--   additionaleventdata: varchar
--   requestid: varchar
--   eventid: varchar
--   readonly: varchar
--   resources: array(row(arn varchar, accountid varchar, type varchar))
--   eventtype: varchar
--   apiversion: varchar
--   managementevent: varchar
--   recipientaccountid: varchar
--   serviceeventdetails: varchar
--   sharedeventid: varchar
--   vpcendpointid: varchar
--   vpcendpointaccountid: varchar
--   eventcategory: varchar
--   addendum: row(reason varchar, updatedfields varchar, originalrequestid varchar, originaleventid varchar)
--   sessioncredentialfromconsole: varchar
--   edgedevicedetails: varchar
--   eventcontext: varchar
--   insightdetails: varchar
--   tlsdetails: row(tlsversion varchar, ciphersuite varchar, clientprovidedhostheader varchar, keyexchange varchar)
--   $path: varchar
-- needs: [eventtime, eventsource, eventname, useridentity]

WITH members AS (  -- of a record, under short names
    SELECT
        eventversion, eventtime, eventid, eventsource, eventname, eventtype, eventcategory, readonly, awsregion,
        recipientaccountid, sourceipaddress, useragent, errorcode, errormessage, requestparameters, responseelements,
        additionaleventdata, resources, requestid, sharedeventid, vpcendpointid, apiversion, managementevent,
        serviceeventdetails, sessioncredentialfromconsole, vpcendpointaccountid, edgedevicedetails, eventcontext,
        insightdetails,
        useridentity.type AS identity_type,
        useridentity.principalid AS principal_id,
        useridentity.arn AS identity_arn,
        useridentity.accountid AS identity_account,
        useridentity.accesskeyid AS access_key_id,
        useridentity.username AS user_name,
        useridentity.invokedby AS invoked_by,
        useridentity.invokedbydelegate.accountid AS delegate_account,
        useridentity.identityprovider AS identity_provider,
        useridentity.credentialid AS credential_id,
        useridentity.onbehalfof.userid AS on_behalf_of,
        useridentity.onbehalfof.identitystorearn AS identity_store,
        useridentity.inscopeof.sourcearn AS scope_arn,
        useridentity.inscopeof.sourceaccount AS scope_account,
        useridentity.inscopeof.issuertype AS scope_type,
        useridentity.inscopeof.credentialsissuedto AS scope_holder,
        useridentity.sessioncontext.sessionissuer.type AS issuer_type,
        useridentity.sessioncontext.sessionissuer.principalid AS issuer_id,
        useridentity.sessioncontext.sessionissuer.arn AS issuer_arn,
        useridentity.sessioncontext.sessionissuer.accountid AS issuer_account,
        useridentity.sessioncontext.sessionissuer.username AS issuer_name,
        useridentity.sessioncontext.webidfederationdata.federatedprovider AS federated_provider,
        useridentity.sessioncontext.webidfederationdata.attributes AS federated_attributes,
        useridentity.sessioncontext.attributes.creationdate AS creation_date,
        useridentity.sessioncontext.attributes.mfaauthenticated AS mfa_authenticated,
        useridentity.sessioncontext.sourceidentity AS source_identity,
        useridentity.sessioncontext.ec2roledelivery AS ec2_role_delivery,
        useridentity.sessioncontext.assumedroot AS assumed_root,
        useridentity.sessioncontext.signinsessionarn AS sign_in_session,
        tlsdetails.tlsversion AS tls_version,
        tlsdetails.ciphersuite AS tls_cipher,
        tlsdetails.clientprovidedhostheader AS tls_host,
        tlsdetails.keyexchange AS tls_key_exchange,
        addendum.reason AS addendum_reason,
        addendum.updatedfields AS addendum_fields,
        addendum.originalrequestid AS addendum_request,
        addendum.originaleventid AS addendum_event,
        "$path" AS log_file
    FROM stored_cloudtrail_events
    WHERE :within_partitions
      AND eventtime >= date_format(:window_start - INTERVAL '1' DAY, '%Y-%m-%d')  -- a day, for times with an offset
)

-- What old records write as "" is not there. A time is nearly always written as the LIKE has it; what else ISO 8601
-- allows is brought into that form, digit by digit. An object with nothing in it is left out.
SELECT
    CAST(
        CASE
            WHEN eventtime LIKE '____-__-__T__:__:__Z' THEN TRY(from_iso8601_timestamp(eventtime))
            WHEN regexp_like(
                eventtime, '^\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)? ?(Z|UTC|[+-]\d\d:?\d\d)?\z'
            )
            THEN TRY(from_iso8601_timestamp(
                regexp_replace(
                    rpad(
                        regexp_replace(regexp_replace(eventtime, '(Z|UTC|[+-]\d\d:?\d\d)\z', ''), '[^0-9]', ''),
                        17,
                        '0'
                    ),
                    '(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})',
                    '$1-$2-$3T$4:$5:$6.$7'
                )
                || COALESCE(regexp_extract(eventtime, '([+-]\d\d):?\d\d\z', 1) || ':' || substr(eventtime, -2), 'Z')
            ))
        END AT TIME ZONE 'UTC' AS TIMESTAMP(3)
    ) AS event_time,
    COALESCE(
        NULLIF(eventid, ''),
        'sha256:' || substr(lower(to_hex(sha256(to_utf8(array_join(
            ARRAY[  -- every question reads these, so none of them is long
                eventtime, eventsource, eventname, awsregion, recipientaccountid, sourceipaddress, useragent,
                identity_arn, principal_id, invoked_by, errorcode
            ],
            '|',
            ''
        ))))), 1, 32)
    ) AS event_id,
    eventsource AS event_source,
    eventname AS event_name,
    eventtype AS event_type,
    eventcategory AS event_category,
    CASE readonly WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END AS read_only,
    awsregion AS aws_region,
    COALESCE(recipientaccountid, NULLIF(identity_account, ''), issuer_account) AS account_id,
    sourceipaddress AS source_ip,
    useragent AS user_agent,
    errorcode AS error_code,
    errormessage AS error_message,
    identity_type,
    NULLIF(identity_arn, '') AS identity_arn,
    NULLIF(identity_account, '') AS identity_account,
    NULLIF(principal_id, '') AS principal_id,
    NULLIF(user_name, '') AS user_name,
    NULLIF(issuer_arn, '') AS issuer_arn,
    NULLIF(issuer_name, '') AS issuer_name,
    issuer_account,
    NULLIF(access_key_id, '') AS access_key_id,
    NULLIF(invoked_by, '') AS invoked_by,
    CASE mfa_authenticated WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END AS mfa,
    CAST(
        CASE
            WHEN creation_date LIKE '____-__-__T__:__:__Z' THEN TRY(from_iso8601_timestamp(creation_date))
            WHEN regexp_like(
                creation_date, '^\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)? ?(Z|UTC|[+-]\d\d:?\d\d)?\z'
            )
            THEN TRY(from_iso8601_timestamp(
                regexp_replace(
                    rpad(
                        regexp_replace(regexp_replace(creation_date, '(Z|UTC|[+-]\d\d:?\d\d)\z', ''), '[^0-9]', ''),
                        17,
                        '0'
                    ),
                    '(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})',
                    '$1-$2-$3T$4:$5:$6.$7'
                )
                || COALESCE(
                    regexp_extract(creation_date, '([+-]\d\d):?\d\d\z', 1) || ':' || substr(creation_date, -2), 'Z'
                )
            ))
        END AT TIME ZONE 'UTC' AS TIMESTAMP(3)
    ) AS session_created,
    source_identity,
    on_behalf_of,
    transform(filter(resources, resource -> resource.arn <> ''), resource -> resource.arn) AS listed_arns,
    -- what is redacted as a whole is a word where an object should be
    IF(regexp_like(requestparameters, '^[{\["]'), requestparameters,
        json_format(CAST(NULLIF(requestparameters, 'null') AS JSON))) AS request_parameters,
    IF(regexp_like(responseelements, '^[{\["]'), responseelements,
        json_format(CAST(NULLIF(responseelements, 'null') AS JSON))) AS response_elements,
    IF(regexp_like(additionaleventdata, '^[{\["]'), additionaleventdata,
        json_format(CAST(NULLIF(additionaleventdata, 'null') AS JSON))) AS additional_event_data,
    '[' || array_join(
        transform(
            resources,
            resource -> '{' || array_join(ARRAY[
                '"accountId":' || json_format(CAST(resource.accountid AS JSON)),
                '"type":' || json_format(CAST(resource.type AS JSON)),
                '"ARN":' || json_format(CAST(resource.arn AS JSON))
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
        '"userName":' || json_format(CAST(user_name AS JSON)),
        NULLIF('"sessionContext":{' || array_join(ARRAY[
            NULLIF('"sessionIssuer":{' || array_join(ARRAY[
                '"type":' || json_format(CAST(issuer_type AS JSON)),
                '"principalId":' || json_format(CAST(issuer_id AS JSON)),
                '"arn":' || json_format(CAST(issuer_arn AS JSON)),
                '"accountId":' || json_format(CAST(issuer_account AS JSON)),
                '"userName":' || json_format(CAST(issuer_name AS JSON))
            ], ',') || '}', '"sessionIssuer":{}'),
            NULLIF('"webIdFederationData":{' || array_join(ARRAY[
                '"federatedProvider":' || json_format(CAST(federated_provider AS JSON)),
                '"attributes":{' || array_join(
                    transform(
                        array_sort(map_keys(federated_attributes)),
                        name -> json_format(CAST(name AS JSON)) || ':'
                            || json_format(CAST(element_at(federated_attributes, name) AS JSON))
                    ),
                    ','
                ) || '}'
            ], ',') || '}', '"webIdFederationData":{}'),
            NULLIF('"attributes":{' || array_join(ARRAY[
                '"creationDate":' || json_format(CAST(creation_date AS JSON)),
                '"mfaAuthenticated":' || json_format(CAST(mfa_authenticated AS JSON))
            ], ',') || '}', '"attributes":{}'),
            '"sourceIdentity":' || json_format(CAST(source_identity AS JSON)),
            '"ec2RoleDelivery":' || json_format(CAST(ec2_role_delivery AS JSON)),
            '"assumedRoot":' || json_format(CAST(assumed_root AS JSON)),
            '"signInSessionArn":' || json_format(CAST(sign_in_session AS JSON))
        ], ',') || '}', '"sessionContext":{}'),
        '"invokedBy":' || json_format(CAST(invoked_by AS JSON)),
        '"invokedByDelegate":{"accountId":' || json_format(CAST(delegate_account AS JSON)) || '}',
        '"identityProvider":' || json_format(CAST(identity_provider AS JSON)),
        NULLIF('"onBehalfOf":{' || array_join(ARRAY[
            '"userId":' || json_format(CAST(on_behalf_of AS JSON)),
            '"identityStoreArn":' || json_format(CAST(identity_store AS JSON))
        ], ',') || '}', '"onBehalfOf":{}'),
        NULLIF('"inScopeOf":{' || array_join(ARRAY[
            '"sourceArn":' || json_format(CAST(scope_arn AS JSON)),
            '"sourceAccount":' || json_format(CAST(scope_account AS JSON)),
            '"issuerType":' || json_format(CAST(scope_type AS JSON)),
            '"credentialsIssuedTo":' || json_format(CAST(scope_holder AS JSON))
        ], ',') || '}', '"inScopeOf":{}'),
        '"credentialId":' || json_format(CAST(credential_id AS JSON))
    ], ',') || '}', '{}') AS user_identity,
    requestid AS request_id,
    sharedeventid AS shared_event_id,
    vpcendpointid AS vpc_endpoint_id,
    tls_version,
    NULLIF('{' || array_join(ARRAY[
        '"eventVersion":' || json_format(CAST(eventversion AS JSON)),
        '"apiVersion":' || json_format(CAST(apiversion AS JSON)),
        CASE WHEN managementevent IN ('true', 'false') THEN '"managementEvent":' || managementevent END,
        NULLIF('"tlsDetails":{' || array_join(ARRAY[
            '"tlsVersion":' || json_format(CAST(tls_version AS JSON)),
            '"cipherSuite":' || json_format(CAST(tls_cipher AS JSON)),
            '"clientProvidedHostHeader":' || json_format(CAST(tls_host AS JSON)),
            '"keyExchange":' || json_format(CAST(tls_key_exchange AS JSON))
        ], ',') || '}', '"tlsDetails":{}'),
        '"serviceEventDetails":' || IF(regexp_like(serviceeventdetails, '^[{\["]'), serviceeventdetails,
            json_format(CAST(NULLIF(serviceeventdetails, 'null') AS JSON))),
        '"sessionCredentialFromConsole":' || json_format(CAST(sessioncredentialfromconsole AS JSON)),
        '"vpcEndpointAccountId":' || json_format(CAST(vpcendpointaccountid AS JSON)),
        NULLIF('"addendum":{' || array_join(ARRAY[
            '"reason":' || json_format(CAST(addendum_reason AS JSON)),
            '"updatedFields":' || json_format(CAST(addendum_fields AS JSON)),
            '"originalRequestID":' || json_format(CAST(addendum_request AS JSON)),
            '"originalEventID":' || json_format(CAST(addendum_event AS JSON))
        ], ',') || '}', '"addendum":{}'),
        '"edgeDeviceDetails":' || IF(regexp_like(edgedevicedetails, '^[{\["]'), edgedevicedetails,
            json_format(CAST(NULLIF(edgedevicedetails, 'null') AS JSON))),
        '"eventContext":' || IF(regexp_like(eventcontext, '^[{\["]'), eventcontext,
            json_format(CAST(NULLIF(eventcontext, 'null') AS JSON))),
        '"insightDetails":' || IF(regexp_like(insightdetails, '^[{\["]'), insightdetails,
            json_format(CAST(NULLIF(insightdetails, 'null') AS JSON))),
        CASE WHEN recipientaccountid IS NULL THEN '"recipientAccountId":null' END
    ], ',') || '}', '{}') AS extra,
    log_file
FROM members
