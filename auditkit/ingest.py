"""Logs into a store: only what is new, each event once, every record accounted for."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from auditkit.duplicates import DAY_MICROS, SeenEvents
from auditkit.errors import UnreadableFileError
from auditkit.logs import arrays, columns
from auditkit.logs.cloudtrail import Record
from auditkit.logs.discover import SourceFile, discover
from auditkit.logs.parsed import NotALogError
from auditkit.logs.reading import CloudTrailFile, FlowLogFile, read
from auditkit.model import Window, iso
from auditkit.store import FileEntry, NewPart, Store

BATCH_RECORDS = 12_000  # what one commit holds: enough to make Parquet worth it, little enough to stay small in memory
BATCH_BYTES = 12 << 20  # of source files
LOCK = "ingest.lock"

Progress = Callable[[int, int], None]  # source files done, source files in all


@dataclass(slots=True)
class IngestReport:
    """What one ingest did.

    `records` = events + flow_records + duplicates + quarantined_records + outside_window + set_apart.
    """

    files: int = 0  # read in this run
    known_files: int = 0  # read before, and left alone
    not_logs: int = 0
    bytes: int = 0
    records: int = 0
    events: int = 0
    flow_records: int = 0
    duplicates: int = 0
    outside_window: int = 0
    set_apart: int = 0  # known records that are neither event nor flow record
    quarantined: int = 0  # whole files
    quarantined_records: int = 0  # of those files, and single ones of files that were otherwise stored
    quarantine: list[dict[str, Any]] = field(default_factory=list)  # file, position (None for the whole file), reason

    def count(self, entry: FileEntry) -> None:
        self.files += 1
        self.bytes += entry.size
        self.records += entry.records
        self.duplicates += entry.duplicates
        self.outside_window += entry.outside
        self.set_apart += entry.set_apart
        self.not_logs += entry.state == "not a log"
        if entry.kind == "flowlogs":
            self.flow_records += entry.stored
        else:
            self.events += entry.stored
        self.quarantined_records += entry.quarantined
        if entry.state == "quarantined":
            self.quarantined += 1
            self.quarantine.append({"file": entry.key, "position": None, "reason": entry.reason})
        else:
            self.quarantine += [{"file": entry.key, "position": b.position, "reason": b.reason} for b in entry.bad]


def ingest(
    store: Store, places: Iterable[str | Path], *, window: Window | None = None, progress: Progress | None = None
) -> IngestReport:
    """Read every file under *places* that the store does not know yet, or knows in another version.

    Only records inside *window* are stored. A file read before with a window that does not hold this one is read again.
    Each batch of files is committed whole; a run that is killed goes on where the last commit ended. A second ingest
    into the same store waits for the first.
    Raises: SourceError, for a place that does not exist; StoreError, when the store cannot be written.
    """
    report = IngestReport()
    window = window or Window()
    with FileLock(store.folder / LOCK), _without_garbage_collection():
        store.sweep()
        files = discover(places)
        fresh = _to_read(store, files, window)
        report.known_files = len(files) - len(fresh)
        batch = _Batch(store, window)
        for done, file in enumerate(fresh):
            if progress:
                progress(done, len(fresh))
            batch.add(file)
            if batch.is_full:
                batch.commit(report)
        batch.commit(report)
        if progress:
            progress(len(fresh), len(fresh))
    return report


def _to_read(store: Store, files: list[SourceFile], window: Window) -> list[SourceFile]:
    """The files that are new, or whose known version is out of date and has just been taken out of the store.

    When one is taken out, so are the files whose records were left out as duplicates: they may have repeated it.
    """
    known = store.known_files()
    changed = {file.key for file in files if file.key in known and not _is_current(file, known[file.key], window)}
    if changed:
        changed |= {file.key for file in files if file.key in known and known[file.key]["duplicates"]}
        store.forget(changed)
    return [file for file in files if file.key not in known or file.key in changed]


def _is_current(file: SourceFile, entry: Any, window: Window) -> bool:
    if (entry["size"], entry["version"]) != (file.size, file.version):
        return False
    start, end = iso(window.start) or "", iso(window.end) or ""
    covers_start = entry["window_start"] == "" or (start != "" and entry["window_start"] <= start)
    covers_end = entry["window_end"] == "" or (end != "" and end <= entry["window_end"])
    return covers_start and covers_end


class _Tally:
    """For each file of a batch, how many of its records went which way."""

    def __init__(self, files: int) -> None:
        self._ways = {way: np.zeros(files, np.int64) for way in ("stored", "duplicates", "outside")}

    def count(self, **files_by_way: Any) -> None:
        """For each way, the numbers of the files whose records went it, one a record."""
        for way, files in files_by_way.items():
            self._ways[way] += np.bincount(files, minlength=len(self._ways[way]))

    def of(self, file: int) -> tuple[int, int, int]:
        """Stored, duplicates, outside."""
        stored, duplicates, outside = (int(ways[file]) for ways in self._ways.values())
        return stored, duplicates, outside


class _Batch:
    """Files read and not yet committed."""

    def __init__(self, store: Store, window: Window) -> None:
        self.store, self.window = store, window
        self.seen = SeenEvents(store)
        self.contents = store.contents()  # of the flow logs stored, and of those read since
        self._clear()

    def _clear(self) -> None:
        self.entries: list[FileEntry] = []  # one a file; `stored` and the like are filled in at the commit
        self.records: list[Record] = []
        self.record_file: list[tuple[int, int]] = []  # (number of the entry, how many records)
        self.flows: list[tuple[int, pa.Table]] = []
        self.rows = 0
        self.size = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= BATCH_RECORDS or self.size >= BATCH_BYTES

    def add(self, file: SourceFile) -> None:
        """Read one file; whatever goes wrong with it is written down and stays its own affair."""
        self.size += file.size
        entry = FileEntry(
            key=file.key,
            size=file.size,
            version=file.version,
            window_start=iso(self.window.start) or "",
            window_end=iso(self.window.end) or "",
            state="stored",
        )
        try:
            found = read(file)
        except NotALogError as error:
            digest = getattr(error, "digest", None)
            self.entries.append(replace(entry, state="not a log", reason=str(error), digest=digest))
            return
        except UnreadableFileError as error:
            self.entries.append(replace(entry, state="quarantined", reason=str(error)))
            return
        entry = replace(entry, sha256=found.sha256, records=found.parsed.seen, bad=tuple(found.parsed.bad))
        number = len(self.entries)
        if isinstance(found, CloudTrailFile):
            self.entries.append(replace(entry, kind="cloudtrail"))
            self.records += found.parsed.rows
            self.record_file.append((number, len(found.parsed.rows)))
            self.rows += len(found.parsed.rows)
        else:
            self._add_flows(found, replace(entry, kind="flowlogs", content_sha256=found.content_sha256))

    def _add_flows(self, found: FlowLogFile, entry: FileEntry) -> None:
        rows = found.parsed.rows
        if found.content_sha256 in self.contents:
            self.entries.append(replace(entry, duplicates=len(rows), reason="a copy of another file"))
            return
        self.contents.add(found.content_sha256)
        self.flows.append((len(self.entries), rows))
        self.rows += len(rows)
        self.entries.append(entry)

    def commit(self, report: IngestReport) -> None:
        """Rows of the batch by day into the store, its files into the ledger."""
        if not self.entries:
            return
        tally = _Tally(len(self.entries))
        parts = [*self._event_parts(tally), *self._flow_parts(tally)]
        entries = [_settled(entry, *tally.of(number)) for number, entry in enumerate(self.entries)]
        self.store.commit(entries, parts)
        for entry in entries:
            report.count(entry)
        self._clear()

    def _event_parts(self, tally: _Tally) -> Iterator[NewPart]:
        if not self.records:
            return
        numbers = np.repeat([n for n, _ in self.record_file], [count for _, count in self.record_file])
        times = arrays.as_integers(arrays.instants([record.eventTime for record in self.records if record.eventTime]))
        by_time = np.argsort(times, kind="stable")  # in order before they become columns: that moves far fewer bytes
        numbers = numbers[by_time]
        log_file = arrays.repeated([entry.key for entry in self.entries], numbers)
        rows = columns.table([self.records[at] for at in by_time.tolist()], log_file)
        inside = _inside(rows["event_time"], self.window)
        fresh = self.seen.fresh(rows, inside)
        tally.count(stored=numbers[fresh], duplicates=numbers[inside & ~fresh], outside=numbers[~inside])
        yield from _by_day("cloudtrail_events", rows, "event_time", fresh)

    def _flow_parts(self, tally: _Tally) -> Iterator[NewPart]:
        if not self.flows:
            return
        numbers = np.repeat([n for n, _ in self.flows], [len(rows) for _, rows in self.flows])
        rows = pa.concat_tables([rows for _, rows in self.flows])
        rows = rows.append_column("log_file", arrays.repeated([entry.key for entry in self.entries], numbers))
        inside = _inside(rows["start_time"], self.window)
        tally.count(stored=numbers[inside], outside=numbers[~inside])
        yield from _by_day("flow_records", rows, "start_time", inside)


def _inside(times: pa.ChunkedArray, window: Window) -> Any:
    """Mask of the times inside the window."""
    micros = arrays.as_integers(times)
    inside = np.ones(len(micros), bool)
    if window.start:
        inside &= micros >= arrays.as_integers(arrays.instants([window.start]))
    if window.end:
        inside &= micros < arrays.as_integers(arrays.instants([window.end]))
    return inside


def _by_day(table: str, rows: pa.Table, time: str, wanted: Any) -> Iterator[NewPart]:
    """The rows wanted, a part for each day, sorted by time."""
    ordered = rows if wanted.all() else rows.filter(arrays.mask(wanted))
    micros = arrays.as_integers(ordered[time])
    if (np.diff(micros) < 0).any():
        order = np.argsort(micros, kind="stable")
        ordered, micros = ordered.take(arrays.numbers(order, pa.int64())), micros[order]
    days = micros // DAY_MICROS
    ends = [*np.flatnonzero(np.diff(days)) + 1, len(days)] if len(days) else []
    for start, end in pairwise([0, *ends]):
        part = ordered.slice(start, end - start)
        keys = tuple(pc.unique(part["log_file"]).to_pylist())
        yield NewPart(table, part[time][0].as_py().date(), part, keys)


def _settled(entry: FileEntry, stored: int, duplicates: int, outside: int) -> FileEntry:
    """The entry with its books closed: every record of the file is in exactly one column."""
    quarantined = len(entry.bad)
    state, reason = entry.state, entry.reason
    if quarantined:
        state = "partial" if entry.records > quarantined else "quarantined"
        reason = reason or f"{quarantined:,} of {entry.records:,} records cannot be read: {entry.bad[0].reason}"
    return replace(
        entry,
        state=state,
        reason=reason,
        stored=stored,
        duplicates=entry.duplicates + duplicates,
        quarantined=quarantined,
        outside=outside,
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Millions of small records and no cycles among them: looking for cycles took twice as long as decoding."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
