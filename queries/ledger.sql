-- The ledger of a store, in SQLite's own SQL: every source file that was read, and the Parquet parts its rows are in.

-- name: create_schema#
CREATE TABLE IF NOT EXISTS files (
    id             INTEGER PRIMARY KEY,
    key            TEXT NOT NULL UNIQUE,  -- absolute path, or s3://bucket/key
    size           INTEGER NOT NULL,
    version        TEXT NOT NULL,         -- another one, when the content has changed; '' when it has to be read again
    window_start   TEXT NOT NULL,         -- only records inside were stored; '' is open
    window_end     TEXT NOT NULL,
    sha256         TEXT,                  -- of the file as it lies there
    content_sha256 TEXT,                  -- of a flow log's text
    kind           TEXT,                  -- cloudtrail | flowlogs
    flow_format    TEXT,                  -- the fields that were assumed, of a flow log that does not name its own; of a
                                          -- file that cannot be read, those it was tried with
    state          TEXT NOT NULL,         -- stored | partial | quarantined | digest | not a log
    reason         TEXT,
    records        INTEGER NOT NULL,      -- = stored + duplicates + quarantined + outside + set_apart
    stored         INTEGER NOT NULL,
    duplicates     INTEGER NOT NULL,
    quarantined    INTEGER NOT NULL,
    outside        INTEGER NOT NULL,      -- outside the window asked for
    set_apart      INTEGER NOT NULL       -- known, and neither event nor flow record: Transit Gateway, aggregated events
);
CREATE TABLE IF NOT EXISTS parts (
    id         INTEGER PRIMARY KEY,
    path       TEXT NOT NULL UNIQUE,      -- inside the store
    table_name TEXT NOT NULL,
    event_date TEXT NOT NULL,
    row_count  INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS part_files (
    part_id INTEGER NOT NULL REFERENCES parts (id) ON DELETE CASCADE,
    file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    PRIMARY KEY (part_id, file_id)
);
CREATE INDEX IF NOT EXISTS part_files_by_file ON part_files (file_id);
CREATE TABLE IF NOT EXISTS bad_records (
    file_id  INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,            -- from 0
    reason   TEXT NOT NULL,
    text     BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS digests (
    file_id         INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    account_id      TEXT NOT NULL,
    region          TEXT NOT NULL,
    start_time      TEXT NOT NULL,        -- ISO, UTC; of delivery, as is the end
    end_time        TEXT NOT NULL,
    object          TEXT NOT NULL,        -- s3://bucket/key of the digest, as it says itself
    previous_object TEXT                  -- of the one before; NULL where a chain starts
);
CREATE TABLE IF NOT EXISTS digest_files (
    file_id INTEGER NOT NULL REFERENCES digests (file_id) ON DELETE CASCADE,
    object  TEXT NOT NULL                 -- s3://bucket/key of a log file that was delivered
);
CREATE INDEX IF NOT EXISTS digest_files_by_digest ON digest_files (file_id);
CREATE TABLE IF NOT EXISTS pulls (        -- statements that brought rows from Athena or Trino
    id            INTEGER PRIMARY KEY,
    table_name    TEXT NOT NULL,
    window_start  TEXT NOT NULL,          -- ISO, UTC; on event time
    window_end    TEXT NOT NULL,
    engine        TEXT NOT NULL,          -- athena | trino
    source        TEXT NOT NULL,          -- the engine's own table
    scope         TEXT NOT NULL,          -- JSON: the services, accounts and regions that were asked for; [] is all
    query_id      TEXT,
    estimated_bytes INTEGER,              -- at most, before it ran; NULL where nobody could tell
    bytes_scanned INTEGER,
    cost_usd      REAL,
    duration_s    REAL NOT NULL,
    pulled_at     TEXT NOT NULL,          -- ISO, UTC
    sql           TEXT NOT NULL,
    row_count     INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pull_days (    -- which of them the rows of a day are from
    table_name TEXT NOT NULL,
    event_date TEXT NOT NULL,
    pull_id    INTEGER NOT NULL REFERENCES pulls (id) ON DELETE CASCADE,
    PRIMARY KEY (table_name, event_date)
);

-- name: schema_version()^
PRAGMA user_version;

-- name: stamp_schema_version()!
PRAGMA user_version = 3;

-- name: known_files()
SELECT id, key, size, version, window_start, window_end, state, flow_format, stored, duplicates FROM files;

-- name: file_id(key)^
SELECT id FROM files WHERE key = :key;

-- name: contents()
SELECT DISTINCT content_sha256 FROM files WHERE content_sha256 IS NOT NULL AND stored > 0;

-- name: add_file(key, size, version, window_start, window_end, sha256, content_sha256, kind, flow_format, state, reason, records, stored, duplicates, quarantined, outside, set_apart)<!
INSERT INTO files (
    key, size, version, window_start, window_end, sha256, content_sha256, kind, flow_format, state, reason,
    records, stored, duplicates, quarantined, outside, set_apart
) VALUES (
    :key, :size, :version, :window_start, :window_end, :sha256, :content_sha256, :kind, :flow_format, :state, :reason,
    :records, :stored, :duplicates, :quarantined, :outside, :set_apart
);

-- name: remove_file(key)!
DELETE FROM files WHERE key = :key;

-- name: read_again(key, again)!
UPDATE files SET version = :again || version WHERE key = :key AND version <> '' AND substr(version, 1, 6) <> :again;

-- name: add_part(path, table_name, event_date, row_count)<!
INSERT INTO parts (path, table_name, event_date, row_count) VALUES (:path, :table_name, :event_date, :row_count);

-- name: remove_part(part_id)!
DELETE FROM parts WHERE id = :part_id;

-- name: add_part_file(part_id, file_id)!
INSERT INTO part_files (part_id, file_id) VALUES (:part_id, :file_id);

-- name: add_bad_record(file_id, position, reason, text)!
INSERT INTO bad_records (file_id, position, reason, text) VALUES (:file_id, :position, :reason, :text);

-- name: parts()
SELECT path, table_name, event_date, row_count FROM parts ORDER BY table_name, event_date, id;

-- name: parts_of_day(table_name, event_date)
SELECT id, path FROM parts WHERE table_name = :table_name AND event_date = :event_date ORDER BY id;

-- name: parts_of_file(file_id)
SELECT p.id, p.path, p.table_name, p.event_date
FROM parts AS p
JOIN part_files AS f ON f.part_id = p.id
WHERE f.file_id = :file_id
ORDER BY p.id;

-- name: part_id(path)^
SELECT id FROM parts WHERE path = :path;

-- name: files_of_part(part_id)
SELECT files.id, files.key
FROM part_files AS f
JOIN files ON files.id = f.file_id
WHERE f.part_id = :part_id
ORDER BY files.id;

-- name: books()^
SELECT
    count(*)                      AS files,
    coalesce(sum(records), 0)     AS records,
    coalesce(sum(stored), 0)      AS stored,
    coalesce(sum(duplicates), 0)  AS duplicates,
    coalesce(sum(quarantined), 0) AS quarantined,
    coalesce(sum(outside), 0)     AS outside,
    coalesce(sum(set_apart), 0)   AS set_apart,
    coalesce(sum(size), 0)        AS bytes
FROM files;

-- name: files_by_state()
SELECT coalesce(kind, '') AS kind, state, count(*) AS files, sum(records) AS records, sum(stored) AS stored
FROM files
GROUP BY kind, state
ORDER BY kind, state;

-- name: troubled_files()
SELECT key, kind, state, reason, records, stored, quarantined
FROM files
WHERE state NOT IN ('stored', 'digest')
ORDER BY state, key;

-- name: add_digest(file_id, account_id, region, start_time, end_time, object, previous_object)!
INSERT INTO digests (file_id, account_id, region, start_time, end_time, object, previous_object)
VALUES (:file_id, :account_id, :region, :start_time, :end_time, :object, :previous_object);

-- name: add_digest_file(file_id, object)!
INSERT INTO digest_files (file_id, object) VALUES (:file_id, :object);

-- name: files()
SELECT key, kind, state, reason, records, stored FROM files ORDER BY key;

-- name: log_files()
SELECT key, state, window_start, window_end FROM files WHERE state NOT IN ('digest', 'not a log');

-- name: listed_files()
SELECT d.file_id, d.account_id, d.region, d.start_time, d.end_time, d.object, d.previous_object, f.object AS listed
FROM digests AS d
LEFT JOIN digest_files AS f ON f.file_id = d.file_id
ORDER BY d.account_id, d.file_id;

-- name: bad_records()
SELECT f.key, b.position, b.reason
FROM bad_records AS b
JOIN files AS f ON f.id = b.file_id
ORDER BY f.key, b.position;

-- name: add_pull(table_name, window_start, window_end, engine, source, scope, query_id, estimated_bytes, bytes_scanned, cost_usd, duration_s, pulled_at, sql, row_count)<!
INSERT INTO pulls (
    table_name, window_start, window_end, engine, source, scope, query_id, estimated_bytes, bytes_scanned, cost_usd,
    duration_s, pulled_at, sql, row_count
) VALUES (
    :table_name, :window_start, :window_end, :engine, :source, :scope, :query_id, :estimated_bytes, :bytes_scanned,
    :cost_usd, :duration_s, :pulled_at, :sql, :row_count
);

-- name: set_pull_day(table_name, event_date, pull_id)!
INSERT OR REPLACE INTO pull_days (table_name, event_date, pull_id) VALUES (:table_name, :event_date, :pull_id);

-- name: pulls()
SELECT
    id, table_name, window_start, window_end, engine, source, scope, query_id, estimated_bytes, bytes_scanned, cost_usd,
    duration_s, pulled_at, sql, row_count
FROM pulls
ORDER BY id;

-- name: pulled_days()
SELECT d.table_name, d.event_date, p.window_start, p.window_end, p.engine, p.source, p.scope, p.pulled_at
FROM pull_days AS d
JOIN pulls AS p ON p.id = d.pull_id
ORDER BY d.table_name, d.event_date;

-- name: ingested_files(pulled)^
SELECT count(*) AS files FROM files WHERE version <> :pulled;

-- name: subtract_rows(key, row_count)!
UPDATE files SET records = records - :row_count, stored = stored - :row_count WHERE key = :key;

-- name: remove_file_without_rows(key)!
DELETE FROM files WHERE key = :key AND NOT EXISTS (SELECT 1 FROM part_files AS f WHERE f.file_id = files.id);

-- name: add_rows(key, records, stored, duplicates, window_start, window_end)!
UPDATE files
SET
    records = records + :records,
    stored = stored + :stored,
    duplicates = duplicates + :duplicates,
    window_start = min(window_start, :window_start),
    window_end = max(window_end, :window_end)
WHERE key = :key;
