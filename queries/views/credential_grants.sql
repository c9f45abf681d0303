-- title: Events that hand out credentials or a session
-- about: One row for each event that succeeded and gave somebody credentials, with who called (by_) and what was given
--   (to_). A call across accounts is recorded in both, so it has two rows of one shared_event_id; the role owner's copy
--   knows only the caller's unique id. How - assume_role, saml, web_identity, assume_root, federation_token,
--   session_token, delegated_access, switch_role (the console's; it names no key), console_login, signin_token,
--   identity_center (the portal; the role's own account has a saml row of the same second), web_identity_token (for use
--   outside of AWS), key_made (a long-term key). A role has its path where the caller wrote it.
WITH handed_out AS (
    SELECT
        CASE
            WHEN event_source = 'sts.amazonaws.com' THEN CASE event_name
                WHEN 'AssumeRole' THEN 'assume_role'
                WHEN 'AssumeRoleWithSAML' THEN 'saml'
                WHEN 'AssumeRoleWithWebIdentity' THEN 'web_identity'
                WHEN 'AssumeRoot' THEN 'assume_root'
                WHEN 'GetFederationToken' THEN 'federation_token'
                WHEN 'GetSessionToken' THEN 'session_token'
                WHEN 'GetDelegatedAccessToken' THEN 'delegated_access'
                WHEN 'GetWebIdentityToken' THEN 'web_identity_token'
            END
            WHEN event_source = 'signin.amazonaws.com' THEN CASE event_name
                WHEN 'SwitchRole' THEN 'switch_role'
                WHEN 'ConsoleLogin' THEN 'console_login'
                WHEN 'GetSigninToken' THEN 'signin_token'
            END
            WHEN event_source = 'sso.amazonaws.com' AND event_name IN ('GetRoleCredentials', 'Federate')
                THEN 'identity_center'
            WHEN event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey' THEN 'key_made'
        END AS how,
        cloudtrail_events.*
    FROM cloudtrail_events
    WHERE event_source IN ('sts.amazonaws.com', 'signin.amazonaws.com', 'sso.amazonaws.com', 'iam.amazonaws.com')
      AND event_name IN (
          'AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot', 'GetFederationToken',
          'GetSessionToken', 'GetDelegatedAccessToken', 'GetWebIdentityToken', 'SwitchRole', 'ConsoleLogin',
          'GetSigninToken', 'GetRoleCredentials', 'Federate', 'CreateAccessKey'
      )
      AND COALESCE(outcome, 'ok') = 'ok'
),
read_out AS (
    SELECT
        handed_out.*,
        json_extract_scalar(additional_event_data, '$.SwitchFrom') AS switched_from,
        json_extract_scalar(user_identity, '$.principalId') AS principal_id,
        json_extract_scalar(user_identity, '$.identityProvider') AS identity_provider,
        COALESCE(
            json_extract_scalar(response_elements, '$.credentials.accessKeyId'),
            json_extract_scalar(response_elements, '$.accessKey.accessKeyId')
        ) AS given_key,
        COALESCE(
            json_extract_scalar(response_elements, '$.assumedRoleUser.arn'),
            json_extract_scalar(response_elements, '$.federatedUser.arn'),
            json_extract_scalar(response_elements, '$.assumedPrincipal')
        ) AS given_arn,
        json_extract_scalar(request_parameters, '$.targetPrincipal') AS root_of,
        COALESCE(
            json_extract_scalar(extra, '$.serviceEventDetails.account_id'),
            json_extract_scalar(request_parameters, '$.accountId')
        ) AS portal_account,
        COALESCE(
            json_extract_scalar(extra, '$.serviceEventDetails.role_name'),
            json_extract_scalar(request_parameters, '$.roleName')
        ) AS portal_role
    FROM handed_out
    WHERE how IS NOT NULL
)
SELECT
    how,
    event_time,
    event_id,
    event_name,
    account_id,
    aws_region,
    outcome,
    source_ip,
    user_agent,
    invoked_by,
    shared_event_id,
    identity_type AS by_identity_type,
    CASE
        WHEN how <> 'switch_role' THEN principal_arn
        WHEN switched_from LIKE 'arn:%:sts::%:assumed-role/%/%'
            THEN split_part(switched_from, ':', 1) || ':' || split_part(switched_from, ':', 2) || ':iam::'
                || split_part(switched_from, ':', 5) || ':role/' || split_part(switched_from, '/', 2)
        ELSE switched_from
    END AS by_principal_arn,
    CASE
        WHEN how <> 'switch_role' THEN session_name
        WHEN switched_from LIKE 'arn:%:sts::%:assumed-role/%/%' THEN split_part(switched_from, '/', 3)
    END AS by_session_name,
    CASE WHEN how <> 'switch_role' THEN access_key_id END AS by_access_key_id,
    CASE WHEN how <> 'switch_role' THEN principal_id END AS by_principal_id,
    CASE
        WHEN how <> 'switch_role' THEN principal_account
        WHEN switched_from LIKE 'arn:%:%:%:%:%' THEN split_part(switched_from, ':', 5)
    END AS by_account,
    CASE WHEN how <> 'switch_role' THEN session_created END AS by_session_created,
    COALESCE(mfa, FALSE)
        OR COALESCE(json_extract_scalar(additional_event_data, '$.MFAUsed') = 'Yes', FALSE)
        OR json_extract_scalar(request_parameters, '$.tokenCode') IS NOT NULL AS by_mfa,
    CASE
        WHEN how = 'key_made'
            THEN 'arn:' || CASE WHEN principal_arn LIKE 'arn:%:%' THEN split_part(principal_arn, ':', 2) ELSE 'aws' END
                || ':iam::' || account_id || ':user/' || json_extract_scalar(response_elements, '$.accessKey.userName')
        WHEN how = 'assume_root' AND root_of LIKE 'arn:%' THEN root_of
        WHEN how = 'assume_root' THEN 'arn:aws:iam::' || root_of || ':root'
        WHEN how IN ('switch_role', 'console_login', 'signin_token', 'session_token', 'federation_token')
            THEN principal_arn
        ELSE json_extract_scalar(request_parameters, '$.roleArn')
    END AS to_principal_arn,
    CASE
        WHEN how IN ('switch_role', 'console_login', 'signin_token') THEN session_name
        WHEN how = 'federation_token' THEN json_extract_scalar(request_parameters, '$.name')
        ELSE json_extract_scalar(request_parameters, '$.roleSessionName')
    END AS to_session_name,
    given_key AS to_access_key_id,
    given_arn AS to_session_arn,
    COALESCE(
        json_extract_scalar(response_elements, '$.assumedRoleUser.assumedRoleId'),
        json_extract_scalar(response_elements, '$.federatedUser.federatedUserId'),
        CASE WHEN how IN ('switch_role', 'console_login', 'signin_token', 'session_token') THEN principal_id END
    ) AS to_principal_id,
    CASE WHEN how = 'identity_center' THEN portal_account END AS to_account,
    CASE WHEN how = 'identity_center' THEN portal_role END AS to_permission_set,
    COALESCE(
        json_extract_scalar(request_parameters, '$.sourceIdentity'),
        json_extract_scalar(response_elements, '$.sourceIdentity'),
        source_identity
    ) AS source_identity,
    on_behalf_of,
    CASE
        WHEN how = 'saml' THEN json_extract_scalar(request_parameters, '$.principalArn')
        WHEN how = 'web_identity' THEN COALESCE(
            identity_provider, json_extract_scalar(response_elements, '$.provider')
        )
    END AS provider,
    CASE
        WHEN how = 'saml' THEN COALESCE(
            json_extract_scalar(response_elements, '$.subject'), json_extract_scalar(user_identity, '$.userName')
        )
        WHEN how = 'web_identity' THEN COALESCE(
            json_extract_scalar(response_elements, '$.subjectFromWebIdentityToken'),
            json_extract_scalar(user_identity, '$.userName')
        )
        WHEN how = 'identity_center' THEN COALESCE(
            json_extract_scalar(additional_event_data, '$.UserName'), json_extract_scalar(user_identity, '$.userName')
        )
    END AS subject,
    TRY_CAST(json_extract_scalar(request_parameters, '$.durationSeconds') AS BIGINT) AS duration_s,
    json_extract_scalar(response_elements, '$.credentials.expiration') AS expires
FROM read_out
