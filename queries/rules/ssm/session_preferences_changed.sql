-- title: Settings of Session Manager shells changed
-- kind: match
-- severity: medium
-- attack: [T1562.008]
-- pci: ["10.2.1.2", "10.2.1.6", "8.6.1"]
-- why: This document says where a record of what is typed in shells is kept, as which user they run, and what runs
--   first in each of them. A change can end the record, or run a script in every shell that anybody opens.
-- response: Compare the document's last two versions. Set the log bucket or group again if it is gone, and look for
--   shells that were opened since (StartSession).
-- false_positives: Session Manager set up for the first time, or tightened
-- blind_spots: what was changed; sessions opened with another document
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ssm.amazonaws.com'
  AND event_name IN ('UpdateDocument', 'UpdateDocumentDefaultVersion', 'CreateDocument', 'DeleteDocument')
  AND regexp_like(
      COALESCE(json_extract_scalar(request_parameters, '$.name'), resource_arn),  -- a refusal carries no parameters
      '(^|/)SSM-SessionManagerRunShell$'
  )
