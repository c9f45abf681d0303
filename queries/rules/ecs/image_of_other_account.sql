-- title: Task made of an image from another AWS account
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   known_accounts:
--     type: array(varchar)
--     default: ["840364872350", "763104351884", "906394416424"]
--     about: accounts of your own or of vendors that may supply images; those here are AWS's own
-- attack: [T1610, T1199]
-- pci: ["6.3.2", "7.2.1", "12.8.1"]
-- why: The image lies in the registry of a foreign AWS account, whose owner decides what it holds. What runs here with
--   the role and the secrets of this task can be exchanged there.
-- response: Find out whose account it is. If it is neither yours nor a vendor's, stop the tasks, and read what the
--   task's role did.
-- false_positives: a central account for images, and vendors who deliver this way; name them in known_accounts
-- blind_spots: images pulled into your own registry from that account
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN (
      'RegisterTaskDefinition', 'RegisterDaemonTaskDefinition', 'CreateExpressGatewayService',
      'UpdateExpressGatewayService'
  )
  AND any_match(
      COALESCE(
          TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON)),
          ARRAY[json_extract(request_parameters, '$.primaryContainer')]
      ),
      container -> regexp_like(json_extract_scalar(container, '$.image'), '^[0-9]{12}\.dkr[.-]ecr[.-]')
          AND substr(json_extract_scalar(container, '$.image'), 1, 12) <> account_id
          AND substr(json_extract_scalar(container, '$.image'), 1, 12) NOT IN (:known_accounts)
  )
