-- title: Access key used with a program it never was
-- kind: first_seen
-- severity: low
-- attack: [T1078.004, T1552.001]
-- pci: ["8.6.1", "8.6.3", "11.5.1"]
-- why: A long-lived key mostly sits in one program for years. When another kind of program signs with it, somebody has
--   copied the key, rightly or not.
-- response: Ask the owner of the key. If the program is not theirs, deactivate the key, and read what it did from the
--   addresses shown.
-- false_positives: a person who tries out another tool; a program rewritten with another library
-- blind_spots: a thief with the same kind of program; user agents that were changed
SELECT *,
    access_key_id || ' ' || lower(regexp_extract(user_agent, '^\[?([A-Za-z0-9_-]+( Browser)?)', 1)) AS resource
FROM cloudtrail_events
WHERE identity_type = 'IAMUser'
  AND access_key_id LIKE 'AKIA%'
  AND invoked_by IS NULL
