-- title: Repository deleted with its images, or many images
-- kind: match
-- severity: medium
-- per: resource
-- params:
--   min_images: {type: bigint, default: 20, about: images deleted in one call}
-- attack: [T1485]
-- pci: ["10.2.1.7", "12.10.5"]
-- why: The images are gone for good; ECR keeps no copy. Tasks that use them run on, but none can be started anew, so a
--   service dies as its tasks do.
-- response: Find out who asked for it. If nobody did, disable the principal, stop deployments and scale-ins, and push
--   the images again from the pipeline or from a machine that still has them.
-- false_positives: an application taken down; a tidying job that deletes old images in batches
-- blind_spots: many calls of a few images each; refusals, which carry no parameters
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('ecr.amazonaws.com', 'ecr-public.amazonaws.com')
  AND (
      (
          event_name = 'DeleteRepository'
          AND json_extract_scalar(request_parameters, '$.force') = 'true'
      )
      OR (
          event_name = 'BatchDeleteImage'
          AND json_size(request_parameters, '$.imageIds') >= :min_images
      )
  )
