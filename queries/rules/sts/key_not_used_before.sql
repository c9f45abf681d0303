-- title: User works with a key that was not in use
-- kind: first_seen
-- severity: low
-- attack: [T1078.004, T1098.001]
-- pci: ["8.2.6", "8.6.1", "8.6.3", "11.5.1"]
-- why: This user signs with a long-lived key that it did not use in the baseline. The key is new, or it is an old one
--   that somebody found; either should be known to the owner.
-- response: See when the key was made (aws iam list-access-keys). If it is old, or the owner does not know it,
--   deactivate it, and read what it did.
-- false_positives: a change of keys on schedule; a key used once a month
-- blind_spots: users of whom the baseline knows nothing; the age of the key
SELECT *,
    access_key_id AS resource
FROM cloudtrail_events
WHERE identity_type = 'IAMUser'
  AND access_key_id LIKE 'AKIA%'
  AND invoked_by IS NULL
