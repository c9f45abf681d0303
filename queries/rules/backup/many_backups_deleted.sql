-- title: One principal deleted many backups
-- kind: aggregate
-- severity: high
-- reads: [cloudtrail_events]
-- params:
--   min_deleted: {type: bigint, default: 20, about: backups deleted or tried in one day}
-- attack: [T1490, T1485]
-- pci: ["10.2.1.7", "12.10.1"]
-- why: Snapshots, images and recovery points are what is left when disks and databases are destroyed. Whoever wants a
--   ransom deletes them first.
-- response: Stop the principal until its owner has spoken. Look in the recycle bin for snapshots and images, and
--   protect what is left with a vault lock.
-- false_positives: a job of one's own that tidies up old snapshots or images every night
-- blind_spots: deletions by many principals, or a few a day; backups that AWS deletes by a life cycle, which are no
--   calls
WITH days AS (
    SELECT
        principal_arn,
        account_id,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count(*) AS event_count,
        count_if(outcome <> 'ok') AS failed_count,
        array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
        array_agg(DISTINCT hand ORDER BY hand) AS hands,
        array_agg(event_id ORDER BY event_time, event_id) AS evidence
    FROM cloudtrail_events
    WHERE event_source IN ('ec2.amazonaws.com', 'rds.amazonaws.com', 'backup.amazonaws.com', 'dynamodb.amazonaws.com')
      AND event_name IN (
          'DeleteSnapshot', 'DeregisterImage', 'DeleteDBSnapshot', 'DeleteDBClusterSnapshot',
          'DeleteDBInstanceAutomatedBackup', 'DeleteDBClusterAutomatedBackup', 'DeleteRecoveryPoint',
          'DeleteBackupVault', 'DeleteBackup'
      )
      AND COALESCE(hand, '') <> 'service'  -- life cycles and backup plans delete what is old, all day
    GROUP BY principal_arn, account_id, event_date
    HAVING count(*) >= :min_deleted
)
SELECT
    principal_arn,
    account_id,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(event_count) AS event_count,
    sum(failed_count) AS failed_count,
    array_sort(array_distinct(flatten(array_agg(source_ips)))) AS source_ips,
    array_sort(array_distinct(flatten(array_agg(hands)))) AS hands,
    flatten(array_agg(evidence ORDER BY first_seen)) AS evidence
FROM days
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
