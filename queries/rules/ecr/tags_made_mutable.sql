-- title: Image tags made changeable
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1525, T1562.001]
-- pci: ["6.5.1", "11.5.2"]
-- why: A tag of this repository may now be moved to another image. Whoever may push can then replace what your tasks
--   run, under the name that everybody trusts.
-- response: Make the tags immutable again. Compare the digest behind each tag in use with what your pipeline built, and
--   read who pushed since.
-- false_positives: a team that wants a moving tag such as latest
-- blind_spots: repositories made with changeable tags; an exclusion that is not a lone star
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ecr.amazonaws.com'
  AND event_name = 'PutImageTagMutability'
  AND (
      json_extract_scalar(request_parameters, '$.imageTagMutability') IN ('MUTABLE', 'MUTABLE_WITH_EXCLUSION')
      OR any_match(
          TRY_CAST(json_extract(request_parameters, '$.imageTagMutabilityExclusionFilters') AS ARRAY(JSON)),
          exclusion -> regexp_like(json_extract_scalar(exclusion, '$.filter'), '^\*+$')
      )
  )
