-- title: Function runs a layer of another AWS account
-- kind: match
-- severity: high
-- per: resource
-- params:
--   known_accounts: {type: array(varchar), default: ["580247275435", "017000801446", "901920570463", "336392948345"],
--     about: "accounts whose layers may be used: those of Lambda Insights, Powertools, ADOT and AWS SDK for pandas"}
-- attack: [T1648, T1195.002]
-- pci: ["6.3.2", "6.5.1", "11.5.2"]
-- why: The function now runs code that another AWS account publishes, with all rights of the function's role. Whoever
--   owns that account decides what it does.
-- response: Find out whose account it is. Take the layer off unless it belongs to you or a vendor under contract, and
--   read what the role of the function did since.
-- false_positives: layers of monitoring vendors and of AWS itself, some of which differ by region; name their accounts
--   in known_accounts
-- blind_spots: layers put on before the window; container images, which have no layers of this kind
SELECT *
FROM cloudtrail_events
WHERE event_source = 'lambda.amazonaws.com'
  AND event_name IN (
      'CreateFunction', 'CreateFunction20150331', 'UpdateFunctionConfiguration',
      'UpdateFunctionConfiguration20150331', 'UpdateFunctionConfiguration20150331v2'
  )
  AND any_match(
      TRY_CAST(json_extract(request_parameters, '$.layers') AS ARRAY(VARCHAR)),
      layer -> any_match(
          regexp_extract_all(layer, '^arn:[^:]*:lambda:[^:]*:([0-9]{12}):layer:', 1),
          account -> account <> account_id AND account NOT IN (:known_accounts)
      )
  )
