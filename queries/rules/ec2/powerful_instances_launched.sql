-- title: Powerful or many instances launched
-- kind: match
-- severity: medium
-- attempts: same
-- params:
--   known_types: {type: array(varchar), default: [], about: instance types that are usual in your accounts}
--   many: {type: bigint, default: 10, about: instances wanted by one call}
-- attack: [T1578.002, T1496.001]
-- pci: ["10.2.1.7", "12.5.1"]
-- why: Machines with graphics cards, of the largest sizes, or many at once are what thieves start to mine coins or to
--   train models at your cost. Even a refused call shows that somebody tries.
-- response: Ask who needs them. If nobody does, terminate them, disable the credentials, and look for the same in all
--   other regions.
-- false_positives: machine learning, rendering and load tests; name their types in known_types
-- blind_spots: fleets and auto scaling groups, whose launches an AWS service makes; many small launches in a row; the
--   type, when it stands in a launch template and the call failed
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('RunInstances', 'RequestSpotInstances')
  AND (
      any_match(
          ARRAY[
              COALESCE(
                  json_extract_scalar(request_parameters, '$.instanceType'),
                  json_extract_scalar(request_parameters, '$.launchSpecification.instanceType'),
                  json_extract_scalar(response_elements, '$.instancesSet.items[0].instanceType')
              )
          ],
          kind -> kind NOT IN (:known_types)
              AND regexp_like(
                  kind,
                  '^(p|g|gr|inf|trn|dl|vt|f|hpc)[0-9]|\.metal|\.(1[6-9]|[2-9][0-9]|[0-9]{3})xlarge'
              )
      )
      OR TRY_CAST(json_extract_scalar(request_parameters, '$.instancesSet.items[0].maxCount') AS BIGINT) >= :many
      OR TRY_CAST(json_extract_scalar(request_parameters, '$.instanceCount') AS BIGINT) >= :many
  )
