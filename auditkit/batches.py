"""Files in, parts of the store out: what one reader does with the files it was given.

A batch is read in chunks, so that neither many files nor a huge one fill the memory. Which records of a chunk are new
only the owner of the store knows: a chunk asks, and is written when it has the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from auditkit import parts
from auditkit.entries import ABOVE, FileEntry
from auditkit.errors import TooMuchTextError, UnavailableFileError, UnreadableFileError
from auditkit.fingerprints import Fingerprints, fingerprints
from auditkit.logs import arrays, columns, flow_columns, flowlogs
from auditkit.logs.cloudtrail import Found, Record
from auditkit.logs.flow_reading import FlowLogBooks
from auditkit.logs.opening import Text
from auditkit.logs.parsed import KEPT_TEXT, BadRecord, NotALogError, Parsed
from auditkit.logs.reading import FlowText, LogFile, Options, Piece, no_log_by_name
from auditkit.logs.source import SourceFile
from auditkit.model import Window
from auditkit.parts import Part

CHUNK_RECORDS = 12_000  # what one part is made of: enough to make Parquet worth it, little enough to stay in the cache
MOST_BAD = 1_000  # records of one file that are kept with their text when they cannot be read; all are counted
CHUNK_BYTES = 24 << 20  # of flow-log text that waits to be read together

READY = "ready"  # the first word of a reader
Files = Sequence[SourceFile]
Source = Callable[[SourceFile], Path | bytes]  # where the bytes of a file are; raises UnreadableFileError


class Setting(NamedTuple):
    """What all batches of a run have in common."""

    folder: Path  # of the store
    window: Window
    options: Options


class Question(NamedTuple):
    """What a chunk has to know before it can be written."""

    days: Any  # of its events inside the window, since 1970 (NumPy)
    prints: Fingerprints  # of the same
    contents: list[tuple[int, str]]  # number of a file that is a flow log, and the SHA-256 of its text


class Answer(NamedTuple):
    fresh: Any  # mask over the events asked about: neither the store nor an earlier event is the same
    copies: set[int]  # numbers of the files whose text is that of another


class Asked(NamedTuple):
    """A question on its way from a reader to the owner of the store."""

    batch: int
    question: Question
    is_last: bool  # of its batch


class Done(NamedTuple):
    """A batch that was read and written, and is not in the ledger yet."""

    entries: list[FileEntry]
    parts: list[Part]


@dataclass(slots=True)
class _Tally:
    """What became of one file's records so far."""

    seen: int = 0
    stored: int = 0
    duplicates: int = 0
    outside: int = 0
    set_apart: int = 0
    quarantined: int = 0
    bad: list[BadRecord] = field(default_factory=list)  # the first of them

    def take(self, read: Found | Parsed[pa.Table] | FlowLogBooks) -> None:
        self.seen += read.seen
        self.set_apart += read.set_apart
        self.quarantined += len(read.bad)
        kept = read.bad[: MOST_BAD - len(self.bad)]
        self.bad += [replace(bad, text=bad.text[:KEPT_TEXT]) if len(bad.text) > KEPT_TEXT else bad for bad in kept]

    def refuse(self, lines: int, first: BadRecord) -> None:
        """Lines that are bad for one and the same reason, which the first of them stands for."""
        self.seen += lines
        self.quarantined += lines
        self.bad += [first][: MOST_BAD - len(self.bad)]


@dataclass(slots=True)
class Chunk:
    """Records of some files of a batch, ready to be written."""

    events: pa.Table | None  # in order of time
    event_files: Any  # for each event the number of its file
    inside: Any  # mask of the events inside the window
    flows: pa.Table | None
    flow_files: Any
    question: Question
    is_last: bool


class Batch:
    """Some files, read one after the other. Whatever goes wrong with one is written down and stays its own affair."""

    def __init__(self, setting: Setting, files: Files) -> None:
        self._setting, self._files, self._window = setting, files, setting.window
        self._tallies = [_Tally() for _ in files]
        self._entries = [FileEntry.of(file, setting.window) for file in files]
        self._asked: set[int] = set()  # numbers of the flow logs of which it is known whether they are copies
        self._copies: set[int] = set()
        self._parts: list[Part] = []
        self._clear()

    def _clear(self) -> None:
        self._records: list[Record] = []
        self._record_files: list[tuple[int, int]] = []  # number of the file, how many records
        self._texts: list[tuple[int, FlowText]] = []  # of flow logs, to be read together
        self._text_bytes = 0
        self._tables: list[tuple[Any, pa.Table]] = []  # of flow logs; for each row the number of the file
        self._contents: list[tuple[int, str]] = []

    def chunks(self, source: Source) -> Iterator[Chunk]:
        """The records of all files. Each chunk must be written before the one after the next is asked for."""
        for number, file in enumerate(self._files):
            try:
                with Text(source(file), max_bytes=self._setting.options.max_bytes) as text:
                    log = LogFile(text, self._setting.options)
                    for piece in log.pieces():
                        self._take(number, piece)
                        if log.is_long and self._is_full:
                            self._remember_content(number, log)
                            yield self._chunk(is_last=False)
                    self._remember_content(number, log)
                self._entries[number] = replace(
                    self._entries[number],
                    kind=log.kind,
                    sha256=log.sha256,
                    content_sha256=log.content_sha256,
                    flow_format=log.flow_format or self._entries[number].flow_format,
                )
            except UnreadableFileError as error:
                self._give_up(number, no_log_by_name(PurePath(file.path)) or error)
            except NotALogError as error:
                self._give_up(number, error)
            if self._is_full:
                yield self._chunk(is_last=False)
        yield self._chunk(is_last=True)

    def write(self, chunk: Chunk, answer: Answer) -> None:
        """The chunk's new records as parts, which count once the ledger has them. Raises: StoreError."""
        self._copies |= answer.copies
        for number in answer.copies:
            self._entries[number] = replace(self._entries[number], reason="a copy of another file")
        if chunk.events is not None:
            fresh = chunk.inside.copy()
            fresh[chunk.inside] = answer.fresh
            self._count(chunk.event_files, stored=fresh, duplicates=chunk.inside & ~fresh, outside=~chunk.inside)
            self._write("cloudtrail_events", chunk.events, "event_time", chunk.event_files, fresh)
        if chunk.flows is not None:
            copied = np.isin(chunk.flow_files, list(self._copies))
            wanted = _inside(chunk.flows["start_time"], self._window)
            self._count(chunk.flow_files, stored=wanted & ~copied, duplicates=copied, outside=~wanted & ~copied)
            self._write("flow_records", chunk.flows, "start_time", chunk.flow_files, wanted & ~copied)

    def done(self) -> Done:
        """What to put into the ledger, when the last chunk is written."""
        for number, (file, tally) in enumerate(zip(self._files, self._tallies, strict=True)):
            if tally.seen == tally.quarantined > 0 and (error := no_log_by_name(PurePath(file.path))):
                self._tallies[number] = _Tally()
                self._give_up(number, error)
        pairs = zip(self._entries, self._tallies, strict=True)
        settled = [_settled(entry, tally) for entry, tally in pairs]
        if given := self._setting.options.flow_format:  # so that only another format is worth another try
            tried = str(given)
            settled = [replace(e, flow_format=tried) if e.state == "quarantined" else e for e in settled]
        return Done(settled, self._parts)

    @property
    def _is_full(self) -> bool:
        rows = len(self._records) + sum(len(rows) for _, rows in self._tables)
        return rows >= CHUNK_RECORDS or self._text_bytes >= CHUNK_BYTES

    def _remember_content(self, number: int, log: LogFile) -> None:
        """Ask, once, whether a flow log is a copy."""
        if log.content_sha256 and number not in self._asked:
            self._asked.add(number)
            self._contents.append((number, log.content_sha256))

    def _take(self, number: int, piece: Piece) -> None:
        tally = self._tallies[number]
        if isinstance(piece, FlowText):
            self._texts.append((number, piece))
            self._text_bytes += len(piece.text)
            return
        tally.take(piece)
        if isinstance(piece, Found):
            tally.seen -= len(piece.flow_lines)  # counted when they are read
            self._records += piece.records
            self._record_files.append((number, len(piece.records)))
        else:
            self._tables.append((np.full(len(piece.rows), number), piece.rows))

    def _give_up(self, number: int, error: UnreadableFileError | NotALogError) -> None:
        digest = getattr(error, "digest", None)
        state = "digest" if digest else "not a log" if isinstance(error, NotALogError) else "quarantined"
        if self._tallies[number].seen:
            state = "partial"  # it was whole when it was read to see whether it is, and is no longer
        entry = replace(self._entries[number], state=state, reason=str(error), digest=digest)
        if isinstance(error, UnavailableFileError):
            entry = replace(entry, version="")
        elif isinstance(error, TooMuchTextError):
            entry = replace(entry, version=f"{entry.version}{ABOVE}{error.max_bytes}")
        self._entries[number] = entry

    def _chunk(self, *, is_last: bool) -> Chunk:
        self._read_texts()
        events, event_files = self._events()
        flows, flow_files = self._flows()
        inside, days, prints = _NOBODY, _NOBODY, Fingerprints(_NOBODY, _NOBODY)
        if events is not None:
            inside = _inside(events["event_time"], self._window)
            days = (arrays.as_integers(events["event_time"]) // arrays.DAY_MICROS)[inside]
            prints = fingerprints(events["event_id"], events["account_id"]).of(inside)
        chunk = Chunk(events, event_files, inside, flows, flow_files, Question(days, prints, self._contents), is_last)
        self._clear()
        return chunk

    def _read_texts(self) -> None:
        """The flow logs that have waited for each other."""
        numbers = np.array([number for number, _ in self._texts], np.int64)
        logs = flowlogs.parse([piece.text for _, piece in self._texts], self._setting.options.flow_format)
        self._tables.append((numbers[logs.text_of_row], logs.rows))
        for (number, piece), books in zip(self._texts, logs.books, strict=True):
            if isinstance(books, UnreadableFileError) and piece.wrapped:
                first = BadRecord(0, str(books), piece.text.split(b"\n", 1)[0])
                self._tallies[number].refuse(piece.wrapped, first)
            elif isinstance(books, UnreadableFileError):
                self._give_up(number, books)
            else:
                self._tallies[number].take(books)
                self._entries[number] = replace(self._entries[number], flow_format=books.flow_format)

    def _events(self) -> tuple[pa.Table | None, Any]:
        if not self._records:
            return None, _NOBODY
        numbers = np.repeat([number for number, _ in self._record_files], [count for _, count in self._record_files])
        times = arrays.as_integers(arrays.instants([record.eventTime for record in self._records if record.eventTime]))
        by_time = np.argsort(times, kind="stable")  # in order before they become columns: that moves far fewer bytes
        numbers, times = numbers[by_time], arrays.numbers(times[by_time], pa.timestamp("us"))
        log_file = arrays.repeated([file.key for file in self._files], numbers)
        return columns.table([self._records[at] for at in by_time.tolist()], times, log_file), numbers

    def _flows(self) -> tuple[pa.Table | None, Any]:
        numbers = np.concatenate([numbers for numbers, _ in self._tables])
        if not len(numbers):
            return None, _NOBODY
        rows = pa.concat_tables([rows for _, rows in self._tables], promote_options="default")
        return rows.append_column("log_file", arrays.repeated([file.key for file in self._files], numbers)), numbers

    def _count(self, files: Any, **ways: Any) -> None:
        """For each way, how many records of each file went it."""
        for way, mask in ways.items():
            for number, count in enumerate(np.bincount(files[mask], minlength=len(self._files)).tolist()):
                if count:
                    tally = self._tallies[number]
                    setattr(tally, way, getattr(tally, way) + count)

    def _write(self, table: str, rows: pa.Table, time: str, files: Any, wanted: Any) -> None:
        """The rows wanted, a part for each day, sorted by time."""
        if not wanted.all():
            rows, files = rows.filter(arrays.mask(wanted)), files[wanted]
        micros = arrays.as_integers(rows[time])
        if (np.diff(micros) < 0).any():
            order = np.argsort(micros, kind="stable")
            rows, micros, files = rows.take(arrays.numbers(order, pa.int64())), micros[order], files[order]
        days = micros // arrays.DAY_MICROS
        ends = [*np.flatnonzero(np.diff(days)) + 1, len(days)] if len(days) else []
        for start, end in pairwise([0, *ends]):
            keys = tuple(self._files[number].key for number in np.unique(files[start:end]).tolist())
            day = arrays.day(int(days[start]))
            part = rows.slice(start, end - start)
            part = flow_columns.whole(part) if table == "flow_records" else part
            self._parts.append(parts.write(self._setting.folder, table, day, part, keys))


_NOBODY = np.zeros(0, np.int64)


def _settled(entry: FileEntry, tally: _Tally) -> FileEntry:
    """The entry with its books closed: every record of the file is in exactly one column."""
    state, reason, quarantined = entry.state, entry.reason, tally.quarantined
    if quarantined:
        state = "partial" if tally.seen > quarantined else "quarantined"
        reason = reason or f"{quarantined:,} of {tally.seen:,} records cannot be read: {tally.bad[0].reason}"
    return replace(
        entry,
        state=state,
        reason=reason,
        records=tally.seen,
        stored=tally.stored,
        duplicates=tally.duplicates,
        quarantined=quarantined,
        outside=tally.outside,
        set_apart=tally.set_apart,
        bad=tuple(tally.bad),
    )


def _inside(times: pa.ChunkedArray, window: Window) -> Any:
    """Mask of the times inside the window."""
    micros = arrays.as_integers(times)
    inside = np.ones(len(micros), bool)
    if window.start:
        inside &= micros >= arrays.as_integers(arrays.instants([window.start]))
    if window.end:
        inside &= micros < arrays.as_integers(arrays.instants([window.end]))
    return inside
