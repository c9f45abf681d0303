-- title: Secret copied to another region
-- kind: match
-- severity: medium
-- per: resource
-- attack: [T1535, T1555.006]
-- pci: ["7.2.6", "8.6.3", "10.2.1.7"]
-- why: The copy has the same value and follows every change of it. Read in a region that nobody watches, it gives the
--   secret away without a trace where it belongs.
-- response: Check that the region is one you work in. If not, remove the copy (RemoveRegionsFromReplication), change
--   the value, and look for reads in that region; its trail must be among the sources.
-- false_positives: applications that run in two regions, whose infrastructure code makes the copies
-- blind_spots: reads of the copy when that region is not among the sources
SELECT *
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name IN ('ReplicateSecretToRegions', 'CreateSecret')
  AND (
      event_name = 'ReplicateSecretToRegions'  -- a refusal carries no parameters
      OR json_array_length(json_extract(request_parameters, '$.addReplicaRegions')) > 0
  )
  AND COALESCE(event_type, '') <> 'AwsServiceEvent'
