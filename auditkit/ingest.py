"""Logs into a store: only what is new, each event once, every record accounted for."""

from __future__ import annotations

import gc
import os
from bisect import bisect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from auditkit.batches import Answer, Done, Files, Question, Setting
from auditkit.duplicates import SeenEvents
from auditkit.entries import ABOVE, FileEntry
from auditkit.errors import StoreError
from auditkit.logs.discover import discover
from auditkit.logs.reading import Options
from auditkit.logs.source import SourceFile
from auditkit.model import Window, iso
from auditkit.parts import Part
from auditkit.readers import ReaderDiedError, read_here, read_in_processes
from auditkit.store import AGAIN, Store

BATCH_BYTES = 24 << 20  # of text, about, in the files that are committed together
BATCH_FILES = 2_000
WORTH_A_PROCESS = 4  # batches: below that, readers would spend most of their time starting
_COMPRESSED = (".gz", ".zst", ".zip", ".parquet")
_RATIO = 8  # of text to its gzip, about


@dataclass(frozen=True, slots=True)
class Reached:
    """How far an ingest has come."""

    files: int
    of_files: int
    bytes: int  # of source files
    of_bytes: int
    records: int


Progress = Callable[[Reached], None]


@dataclass(slots=True)
class IngestReport:
    """What one ingest did.

    `records` = events + flow_records + duplicates + quarantined_records + outside_window + set_apart.
    """

    files: int = 0  # read in this run
    known_files: int = 0  # read before, and left alone
    not_logs: int = 0
    digests: int = 0  # of CloudTrail: no logs, and kept for what they say of them
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

    def count_rows(self, part: Part) -> None:
        if part.table == "flow_records":
            self.flow_records += part.row_count
        else:
            self.events += part.row_count

    def count(self, entry: FileEntry) -> None:
        self.files += 1
        self.bytes += entry.size
        self.records += entry.records
        self.duplicates += entry.duplicates
        self.outside_window += entry.outside
        self.set_apart += entry.set_apart
        self.not_logs += entry.state == "not a log"
        self.digests += entry.state == "digest"
        self.quarantined_records += entry.quarantined
        self.quarantined += entry.state == "quarantined"
        if entry.state == "quarantined" or (entry.state == "partial" and not entry.bad):
            self.quarantine.append({"file": entry.key, "position": None, "reason": entry.reason})
        else:
            self.quarantine += [{"file": entry.key, "position": b.position, "reason": b.reason} for b in entry.bad]


def ingest(
    store: Store,
    places: Iterable[str | Path],
    *,
    window: Window | None = None,
    listed: Window | None = None,
    options: Options | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read every file under *places* that the store does not know yet, or knows in another version.

    Only records inside *window* are stored. A file read before with a window that does not hold this one is read again.
    Each batch of files is committed whole; a run that is killed goes on where the last commit ended. A second ingest
    into the same store waits for the first.

    Args:
        listed: Of a bucket, only what this window can touch is listed; by default what *window* can.
        processes: How many read at once; as many as there are processors by default, and none but this one for little.
    Raises: SourceError, for a place that does not exist; StoreError, when the store cannot be written.
    """
    window, options = window or Window(), options or Options()
    if store.pulled_days():
        raise StoreError(
            f"The store at {str(store.folder)!r} holds rows that were pulled from an engine, and logs may hold the "
            "same again. Ingest into a store of its own."
        )
    with store.locked(), _without_garbage_collection():
        store.sweep()
        files = discover(places, listed or window)
        fresh = _to_read(store, files, window, options)
        run = _Run(store, Setting(store.folder, window, options), progress, fresh)
        run.report.known_files = len(files) - len(fresh)
        run.read(_batches(fresh), processes)
        return run.report


class _Run:
    """One ingest: questions answered, batches committed, progress told."""

    def __init__(self, store: Store, setting: Setting, progress: Progress | None, files: Files) -> None:
        self.report = IngestReport()
        self._store, self._setting, self._progress = store, setting, progress
        self._of_files, self._of_bytes = len(files), sum(file.size for file in files)

    def read(self, batches: Sequence[Files], processes: int | None) -> None:
        """All batches into the store, whatever becomes of the readers."""
        count = _processors() if processes is None else processes
        if count < 2 or (processes is None and len(batches) < WORTH_A_PROCESS):
            self._read(read_here, batches)
            return
        try:
            self._read(partial(read_in_processes, processes=count), batches)
        except ReaderDiedError as error:
            if not error.has_begun:
                self._read(read_here, batches[self._committed :])
                return
            left = [number for number in range(self._committed, len(batches)) if number not in error.batches]
            self._read_alone([file for number in error.batches for file in batches[number]])
            self.read([batches[number] for number in left], processes)

    def _read_alone(self, files: Files) -> None:
        """Files that may have brought down a reader, one at a time: what brings it down again is quarantined."""
        while files:
            try:
                self._read(partial(read_in_processes, processes=1, ahead=1), [[file] for file in files])
                return
            except ReaderDiedError as error:
                file = files[self._committed]
                reason = f"{error} while it read this file; was there too little memory? The next run tries again"
                untried = replace(file, version="")
                entry = FileEntry.of(untried, self._setting.window, state="quarantined", reason=reason)
                self._commit(Done([entry], []))
                files = files[self._committed :]

    def _read(self, how: Callable[..., Generator[Done]], batches: Sequence[Files]) -> None:
        self._seen = SeenEvents(self._store)
        self._contents = self._store.contents()  # of the flow logs stored, and of those judged since
        self._committed = 0
        self._tell()
        with closing(how(batches, self._setting, self._judge)) as done:
            for batch in done:
                self._commit(batch)

    def _judge(self, number: int, question: Question) -> Answer:
        copies = set()
        for file, content in question.contents:
            if content in self._contents:
                copies.add(file)
            self._contents.add(content)
        return Answer(self._seen.fresh(question.days, question.prints, batch=number), copies)

    def _commit(self, batch: Done) -> None:
        self._store.commit(batch.entries, batch.parts)
        self._committed += 1
        self._seen.let_go(self._committed)
        for part in batch.parts:
            self.report.count_rows(part)
        for entry in batch.entries:
            self.report.count(entry)
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            done = self.report
            self._progress(Reached(done.files, self._of_files, done.bytes, self._of_bytes, done.records))


def _to_read(store: Store, files: list[SourceFile], window: Window, options: Options) -> list[SourceFile]:
    """The files that are new, or whose known version is out of date and has just been taken out of the store.

    When one is taken out, so are the files whose records were left out as duplicates: they may have repeated it. Those
    that lie elsewhere are read again when they are listed again.
    """
    known = store.known_files()
    changed = {
        file.key
        for file in files
        if file.key in known
        and not (_is_current(file, known[file.key], window) and _was_read_like_this(known[file.key], options))
    }
    again = {file.key for file in files if file.key in changed and known[file.key]["version"] == AGAIN + file.version}
    repeating: set[str] = set()
    if any(known[key]["stored"] for key in changed - again):
        repeating = {key for key, entry in known.items() if entry["duplicates"]}
        changed |= repeating.intersection(file.key for file in files)
    if obsolete := changed | _folders_listed_by_now(files, known):
        store.forget(obsolete, read_again=repeating - changed)
    return [file for file in files if file.key not in known or file.key in changed]


def _folders_listed_by_now(files: list[SourceFile], known: Mapping[str, Any]) -> set[str]:
    """Folders that could not be listed once, so that they were known like files, and from which there are files now."""
    unavailable = {key for key, entry in known.items() if not entry["version"]}.difference(file.key for file in files)
    keys = sorted(file.key for file in files) if unavailable else []
    return {key for key in unavailable if "".join(keys[(at := bisect(keys, f"{key}/")) : at + 1]).startswith(f"{key}/")}


def _is_current(file: SourceFile, entry: Any, window: Window) -> bool:
    if not file.version and entry["version"]:
        return True  # a link to a disk that is not there now: what was stored is worth more
    if (entry["size"], entry["version"].partition(ABOVE)[0]) != (file.size, file.version):
        return False
    start, end = iso(window.start) or "", iso(window.end) or ""
    covers_start = entry["window_start"] == "" or (start != "" and entry["window_start"] <= start)
    covers_end = entry["window_end"] == "" or (end != "" and end <= entry["window_end"])
    return covers_start and covers_end


def _was_read_like_this(entry: Any, options: Options) -> bool:
    """Whether the bound and the flow format given now would lead to what the ledger says.

    A flow log that was read by a format of another length stays as it is: this format is not for it.
    """
    if (bound := entry["version"].partition(ABOVE)[2]) and options.max_bytes > int(bound):
        return False
    given = options.flow_format
    if given is None or entry["flow_format"] == str(given):
        return True
    assumed = entry["flow_format"]
    return entry["state"] != "quarantined" and (assumed is None or len(assumed.split()) != len(given.fields))


def _batches(files: Files) -> Sequence[Files]:
    """The files in their order, in batches that hold about as much text as can be in hand at a time."""
    batches: list[list[SourceFile]] = []
    room = 0
    for file in files:
        size = file.size * (_RATIO if file.key.endswith(_COMPRESSED) else 1)
        if not batches or size > room or len(batches[-1]) == BATCH_FILES:
            batches.append([])
            room = BATCH_BYTES
        batches[-1].append(file)
        room -= size
    return batches


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
