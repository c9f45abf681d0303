-- title: Container that names a miner or its pool
-- kind: match
-- severity: critical
-- hands: same
-- per: resource
-- attack: [T1496.001, T1610]
-- pci: ["5.2.1", "11.5.1", "12.10.5"]
-- why: The image or the command of this container names a program that mines cryptocurrency, or a pool it works for.
--   Nobody runs that by accident, and the bill is yours.
-- response: Set its services to zero, stop the tasks, and look in every region for more of the same principal. Then
--   take away the key that did it, and find out how it was lost.
-- false_positives: a company that mines on purpose; security teams who test their detection
-- blind_spots: miners under harmless names, which is the rule with good ones; what environment variables say, since AWS
--   hides them
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecs.amazonaws.com'
  AND event_name IN (
      'RegisterTaskDefinition', 'RegisterDaemonTaskDefinition', 'RunTask', 'StartTask', 'ExecuteCommand',
      'CreateExpressGatewayService', 'UpdateExpressGatewayService'
  )
  AND any_match(
      COALESCE(
          TRY_CAST(
              COALESCE(
                  json_extract(request_parameters, '$.containerDefinitions'),
                  json_extract(request_parameters, '$.overrides.containerOverrides')
              ) AS ARRAY(JSON)
          ),
          ARRAY[
              COALESCE(
                  json_extract(request_parameters, '$.primaryContainer'),
                  json_extract(request_parameters, '$')
              )
          ]
      ),
      container -> regexp_like(
          COALESCE(json_extract_scalar(container, '$.image'), '')
              || ' ' || COALESCE(json_format(json_extract(container, '$.command')), '')
              || ' ' || COALESCE(json_format(json_extract(container, '$.entryPoint')), ''),
          '(?i)\b(xmrig|xmr-?stak|minerd|cpuminer|nanominer|nbminer|lolminer|ethminer|cgminer|minergate|srbminer)'
              || '|stratum\+(tcp|ssl|tls)|--donate-level|--coin[ ="]|\brandomx\b|cryptonight|nicehash'
              || '|moneroocean|supportxmr|hashvault|nanopool|2miners|herominers|c3pool'
      )
  )
