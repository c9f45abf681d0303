-- title: Root's password, e-mail address or MFA device changed
-- kind: match
-- severity: high
-- attack: [T1098, T1556.006]
-- pci: ["8.2.2", "8.3.9", "8.4.1", "10.2.1.5"]
-- why: Whoever holds root's password, mailbox and MFA device owns the account, and this call changed one of them. It is
--   how an account is taken over for good.
-- response: Ask the keepers of root. If it was none of them, call AWS Support now, recover the account through its
--   mailbox, and read everything that root did since.
-- false_positives: a new keeper of root, a lost telephone, or a change the keepers planned
-- blind_spots: a mailbox that somebody else reads; changes made by AWS Support
SELECT *
FROM cloudtrail_events
WHERE event_source IN ('signin.amazonaws.com', 'iam.amazonaws.com', 'account.amazonaws.com')
  AND event_name IN (
      'PasswordUpdated', 'PasswordRecoveryCompleted', 'EmailUpdated', 'AcceptPrimaryEmailUpdate',
      'DeactivateMFADevice'
  )
  AND (
      event_source = 'account.amazonaws.com'  -- from the management account
      OR (
          event_source = 'signin.amazonaws.com'
          AND identity_type = 'Root'
          AND NOT regexp_like(COALESCE(response_elements, ''), '"Failure"')
      )
      OR (
          event_source = 'iam.amazonaws.com'
          AND (
              json_extract_scalar(request_parameters, '$.userName') = 'AWS ROOT USER'
              OR json_extract_scalar(request_parameters, '$.serialNumber') LIKE '%:mfa/root-account-mfa-device'
          )
      )
  )
