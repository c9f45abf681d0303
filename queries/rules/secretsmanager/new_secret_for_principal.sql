-- title: Secret read for the first time by this principal
-- kind: first_seen
-- severity: medium
-- attack: [T1555.006]
-- pci: ["7.2.6", "8.6.3", "10.2.1.1"]
-- why: Programs read the same few secrets every day. This principal has been at work all along and read a secret that
--   it never asked for before, which is how a stolen role or key is put to another use.
-- response: Check whether the principal was given this secret on purpose, by a deployment for instance. If not, change
--   the secret, revoke the principal's sessions and read what else they did.
-- false_positives: a deployment that adds a secret to an application; a task that comes seldom, such as a yearly
--   renewal
-- blind_spots: the first reads of a principal that is itself new; a thief who reads what the principal reads anyway
--   (secretsmanager.new_address)
SELECT *,
    regexp_replace(
        -- AWS ends an ARN with a hyphen and six random characters; a name's own last word is seldom mixed
        CASE
            WHEN regexp_like(regexp_extract(resource_arn, '^arn:.*-([A-Za-z0-9]{6})$', 1), '[A-Z0-9]')
                THEN regexp_replace(resource_arn, '-[A-Za-z0-9]{6}$', '')
            ELSE resource_arn
        END,
        '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:',
        ''
    ) AS resource
FROM cloudtrail_events
WHERE event_source = 'secretsmanager.amazonaws.com'
  AND event_name = 'GetSecretValue'
  AND (hand <> 'service' OR invoked_by = 'secretsmanager.amazonaws.com')  -- its own in a batch
