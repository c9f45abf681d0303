-- title: Function or layer opened to another AWS account
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: [], about: accounts of yours or of vendors that may call functions}
-- attack: [T1648, T1537]
-- pci: ["7.2.1", "7.2.2", "10.2.1.5"]
-- why: Another AWS account may now run this function with the rights of its role, or read the code of this layer. Such
--   a permission stays when every key of this account has been changed.
-- response: Check that the account belongs to you or to a vendor under contract. Otherwise remove the permission and
--   read what the function did since.
-- false_positives: shared functions and layers of one's own organization; name its accounts in known_accounts
-- blind_spots: permissions for a whole organization; permissions given before the window
SELECT *
FROM cloudtrail_events
WHERE event_source = 'lambda.amazonaws.com'
  AND event_name IN (
      'AddPermission', 'AddPermission20150331', 'AddPermission20150331v2',
      'AddLayerVersionPermission', 'AddLayerVersionPermission20181031'
  )
  AND (
      any_match(
          regexp_extract_all(
              json_extract_scalar(request_parameters, '$.principal'),
              '^(?:arn:[^:]*:(?:iam|sts)::)?([0-9]{12})(?::|$)',
              1
          ),
          account -> account <> account_id AND account NOT IN (:known_accounts)
      )
      OR (
          json_extract_scalar(request_parameters, '$.principal') = '*'
          AND event_name LIKE 'AddLayerVersionPermission%'
          AND json_extract_scalar(request_parameters, '$.organizationId') IS NULL
      )
  )
