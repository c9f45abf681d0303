"""The store: a folder of Parquet parts, and the ledger that says which of them count."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import aiosql
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from auditkit import parts
from auditkit.entries import FileEntry
from auditkit.errors import StoreError
from auditkit.logs.digests import Digest
from auditkit.logs.source import STORE_LEDGER
from auditkit.model import Window, iso
from auditkit.parts import Part
from auditkit.pulls import PULLED, UNNAMED, Pull, PulledDay, PulledFile
from auditkit.resources import QUERIES
from auditkit.schema import TABLES

SCHEMA_VERSION = 3
UPGRADED = (2,)  # versions that lack nothing but tables
AGAIN = "again "  # before the version of a file that has to be read again, although it is the same
_LOCK = "ingest.lock"
_LEDGER: Any = aiosql.from_path(QUERIES / "ledger.sql", "sqlite3")


class Store:
    """A folder with one subfolder a table, one below it a day, and the ledger.

    The ledger is the truth: a Parquet file it does not list is left over from a run that was killed, is never read, and
    is swept by the next ingest.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Raises: StoreError, when there is no store at *folder* and none is to be made, or one of another version."""
        self.folder = folder
        self._ledger_file = folder / STORE_LEDGER
        if not create and not self._ledger_file.is_file():
            raise StoreError(
                f"There is no store at {str(folder)!r}. `auditkit ingest LOGS --store {folder}` makes one."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                if (create and not _version(connection)) or _version(connection) in UPGRADED:
                    _LEDGER.create_schema(connection)
                    _LEDGER.stamp_schema_version(connection)
                version = _version(connection)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"The store at {str(folder)!r} cannot be opened: {error}.") from error
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"The store at {str(folder)!r} is of version {version}; this auditkit reads version {SCHEMA_VERSION}. "
                "Ingest the logs into a new store."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While nobody else writes: waits for whoever does. Raises: StoreError."""
        lock = FileLock(self.folder / _LOCK)
        with parts.writing(self.folder):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def parts(self) -> dict[str, list[Path]]:
        """The Parquet files of each table, by day."""
        found: dict[str, list[Path]] = {table: [] for table in TABLES}
        with self._connection() as connection:
            for part in _LEDGER.parts(connection):
                found[part["table_name"]].append(self.folder / part["path"])
        return found

    def days(self) -> list[tuple[str, date, list[Part]]]:
        """Each table's days, with their parts."""
        found: dict[tuple[str, str], list[Part]] = {}
        with self._connection() as connection:
            for row in _LEDGER.parts(connection):
                table, day = row["table_name"], row["event_date"]
                part = Part(table, date.fromisoformat(day), row["path"], row["row_count"], ())
                found.setdefault((table, day), []).append(part)
        return [(table, date.fromisoformat(day), parts) for (table, day), parts in found.items()]

    def parts_of_day(self, table: str, day: date) -> list[Path]:
        with self._connection() as connection:
            rows = _LEDGER.parts_of_day(connection, table_name=table, event_date=day.isoformat())
            return [self.folder / row["path"] for row in rows]

    def known_files(self) -> dict[str, Mapping[str, Any]]:
        """By key what the ledger knows of every file, its records and reason left out."""
        with self._connection() as connection:
            return {row["key"]: dict(row) for row in _LEDGER.known_files(connection)}

    def files(self) -> list[dict[str, Any]]:
        """Key, kind, state, reason, records and stored of every file, by key."""
        with self._connection() as connection:
            return [dict(row) for row in _LEDGER.files(connection)]

    def each_log(self) -> Iterator[Mapping[str, Any]]:
        """Key, state and the window it was read for of every log, one at a time: there may be millions."""
        with self._connection() as connection:
            yield from _LEDGER.log_files(connection)

    def each_listed_file(self) -> Iterator[Mapping[str, Any]]:
        """The CloudTrail digests among the files, once for each file `listed`; one without any once, with None."""
        with self._connection() as connection:
            yield from _LEDGER.listed_files(connection)

    def contents(self) -> set[str]:
        """What the stored flow logs say, each by the SHA-256 of its text."""
        with self._connection() as connection:
            return {row["content_sha256"] for row in _LEDGER.contents(connection)}

    def books(self) -> dict[str, Any]:
        """Sums over all files, the files by state, and by name all that were not stored whole, digests left out."""
        with self._connection() as connection:
            return {
                **dict(_LEDGER.books(connection)),
                "by_state": [dict(row) for row in _LEDGER.files_by_state(connection)],
                "troubled": [dict(row) for row in _LEDGER.troubled_files(connection)],
                "bad_records": [dict(row) for row in _LEDGER.bad_records(connection)],
            }

    def commit(self, files: Sequence[FileEntry], new: Sequence[Part]) -> None:
        """New files and the parts that hold their rows, together or not at all. Raises: StoreError."""
        with parts.writing(self.folder), self._connection() as connection, _transaction(connection):
            ids = {entry.key: _add_file(connection, entry) for entry in files}
            for part in new:
                _add_part(connection, part, [ids[key] for key in part.keys])

    def replace(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        """Parts by others that hold the same rows, all of them or none. Raises: StoreError."""
        with parts.writing(self.folder):
            with self._connection() as connection, _transaction(connection):
                ids: dict[str, int] = {}
                for part in old:
                    part_id = _LEDGER.part_id(connection, path=part.path)["id"]
                    ids |= {row["key"]: row["id"] for row in _LEDGER.files_of_part(connection, part_id=part_id)}
                    _LEDGER.remove_part(connection, part_id=part_id)
                for part in new:
                    _add_part(connection, part, [ids[key] for key in part.keys])
            for part in old:
                (self.folder / part.path).unlink(missing_ok=True)

    def forget(self, keys: Collection[str], *, read_again: Collection[str] = ()) -> None:
        """Take files and their rows out, all of them together or none. Raises: StoreError.

        Files to be *read_again* stay as they are until then, and are no longer known in the version they have.
        """
        with parts.writing(self.folder):
            with self._connection() as connection, _transaction(connection):
                ids = [_LEDGER.file_id(connection, key=key)["id"] for key in keys]
                concerned = {row["id"]: row for file in ids for row in _LEDGER.parts_of_file(connection, file_id=file)}
                for part in concerned.values():  # each once, however many of its files go: it may hold thousands
                    self._take_out(connection, part, keys)
                for key in keys:
                    _LEDGER.remove_file(connection, key=key)
                for key in read_again:
                    _LEDGER.read_again(connection, key=key, again=AGAIN)
            for part in concerned.values():
                (self.folder / part["path"]).unlink(missing_ok=True)

    def commit_pull(self, pull: Pull, files: Sequence[PulledFile], new: Sequence[Part], days: Sequence[date]) -> None:
        """The rows of a pull instead of all that the store had of its table on *days*, together or not at all.

        Raises: StoreError.
        """
        with parts.writing(self.folder):
            with self._connection() as connection, _transaction(connection):
                old = [
                    dict(row)
                    for day in days
                    for row in _LEDGER.parts_of_day(connection, table_name=pull.table, event_date=day.isoformat())
                ]
                for row in old:
                    self._subtract(connection, row)
                ids = {file.key: _add_pulled(connection, file, pull.window) for file in files}
                for part in new:
                    _add_part(connection, part, [ids[key] for key in part.keys])
                pull_id = _LEDGER.add_pull(connection, **pull.as_row())
                for day in days:
                    _LEDGER.set_pull_day(connection, table_name=pull.table, event_date=day.isoformat(), pull_id=pull_id)
            for row in old:
                (self.folder / row["path"]).unlink(missing_ok=True)

    def pulls(self) -> list[Pull]:
        """Every statement that brought rows, in order; also those whose rows were replaced since."""
        with self._connection() as connection:
            return [Pull.of(row) for row in _LEDGER.pulls(connection)]

    def pulled_days(self) -> list[PulledDay]:
        """Where the rows of each day are from, of those that were pulled."""
        with self._connection() as connection:
            return [PulledDay.of(row) for row in _LEDGER.pulled_days(connection)]

    def has_ingested(self) -> bool:
        """Whether any file was read here, and not only rows pulled."""
        with self._connection() as connection:
            return bool(_LEDGER.ingested_files(connection, pulled=PULLED)["files"])

    def sweep(self) -> int:
        """Delete Parquet files that the ledger does not list; returns how many. Only while no other ingest runs."""
        listed = {path for paths in self.parts().values() for path in paths}
        with parts.writing(self.folder):
            strays = [p for table in TABLES for p in (self.folder / table).rglob("*.parquet*") if p not in listed]
            for path in strays:
                path.unlink()
        return len(strays)

    def _take_out(self, connection: sqlite3.Connection, part: Any, keys: Collection[str]) -> None:
        """A part's rows that are not from these files as another part, if there are any."""
        rows = pq.ParquetFile(self.folder / part["path"]).read()
        kept = rows.filter(pc.invert(pc.is_in(rows["log_file"], value_set=pa.array(keys, pa.string()))))
        files = list(_LEDGER.files_of_part(connection, part_id=part["id"]))
        others = {row["key"]: row["id"] for row in files if row["key"] not in keys}
        _LEDGER.remove_part(connection, part_id=part["id"])
        if len(kept):
            day = date.fromisoformat(part["event_date"])
            smaller = parts.write(self.folder, part["table_name"], day, kept, tuple(others))
            _add_part(connection, smaller, list(others.values()))

    def _subtract(self, connection: sqlite3.Connection, part: Mapping[str, Any]) -> None:
        """Take a part out, and its rows out of the books of their files."""
        counts = pq.ParquetFile(self.folder / part["path"]).read(columns=["log_file"])["log_file"].value_counts()
        files = [row["key"] for row in _LEDGER.files_of_part(connection, part_id=part["id"])]
        _LEDGER.remove_part(connection, part_id=part["id"])
        for count in counts.to_pylist():
            _LEDGER.subtract_rows(connection, key=count["values"] or UNNAMED, row_count=count["counts"])
        for key in files:
            _LEDGER.remove_file_without_rows(connection, key=key)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._ledger_file, timeout=60, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(_LEDGER.schema_version(connection)["user_version"])


def _add_file(connection: sqlite3.Connection, entry: FileEntry) -> int:
    columns = {name: getattr(entry, name) for name in FileEntry.__slots__ if name not in ("bad", "digest")}
    file_id: int = _LEDGER.add_file(connection, **columns)
    for bad in entry.bad:
        _LEDGER.add_bad_record(connection, file_id=file_id, position=bad.position, reason=bad.reason, text=bad.text)
    if entry.digest:
        _add_digest(connection, file_id, entry.digest)
    return file_id


def _add_digest(connection: sqlite3.Connection, file_id: int, digest: Digest) -> None:
    _LEDGER.add_digest(
        connection,
        file_id=file_id,
        account_id=digest.awsAccountId,
        region=digest.region,
        start_time=digest.digestStartTime,
        end_time=digest.digestEndTime,
        object=digest.object,
        previous_object=digest.previous_object,
    )
    for listed in digest.logFiles:
        _LEDGER.add_digest_file(connection, file_id=file_id, object=listed.object)


def _add_part(connection: sqlite3.Connection, part: Part, file_ids: Sequence[int]) -> None:
    part_id = _LEDGER.add_part(
        connection,
        path=part.path,
        table_name=part.table,
        event_date=part.day.isoformat(),
        row_count=part.row_count,
    )
    for file_id in file_ids:
        _LEDGER.add_part_file(connection, part_id=part_id, file_id=file_id)


def _add_pulled(connection: sqlite3.Connection, file: PulledFile, window: Window) -> int:
    start, end = iso(window.start) or "", iso(window.end) or ""
    if known := _LEDGER.file_id(connection, key=file.key):
        _LEDGER.add_rows(
            connection,
            key=file.key,
            records=file.stored + file.duplicates,
            stored=file.stored,
            duplicates=file.duplicates,
            window_start=start,
            window_end=end,
        )
        return int(known["id"])
    entry = FileEntry(file.key, 0, PULLED, start, end, "stored", kind=file.kind)
    counted = replace(entry, records=file.stored + file.duplicates, stored=file.stored, duplicates=file.duplicates)
    return _add_file(connection, counted)
