"""Every sign of life of an hour: the records stored, the names of files, and what digests testify."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from auditkit.delivery import file_hours, testimony
from auditkit.logs.arrays import as_integers
from auditkit.logs.keys import HOUR_S, Named, name_of, parse
from auditkit.schema import TABLES

HOUR_US = HOUR_S * 1_000_000
AGGREGATION_S = 10 * 60  # the longest time a flow record sums up; its file is named for the time it ends
Pair = tuple[str | None, str | None]  # account, region; None where nothing tells


class Lost(NamedTuple):
    """A file whose records of some hours are not there: `lost`, by a digest's testimony, or `quarantined`."""

    what: str
    pair: int
    start: int
    end: int
    name: str


@dataclass
class Signs:
    """What is known of one table. Hours are counted from 1970, and of a span of them the end is not included."""

    table: str
    pairs: dict[Pair, int] = field(default_factory=dict)
    marks: dict[str, list[tuple[Any, Any, Any, Any]]] = field(default_factory=dict)  # what: pairs, starts, ends, values
    lost: list[Lost] = field(default_factory=list)
    life: list[tuple[int, int]] = field(default_factory=list)  # spans of hours that bound an open window
    named: tuple[int, int] | None = None  # the first and last hour in which a file was delivered, by the files' names
    all_named: bool = True  # whether every file's name says when it was delivered

    def index(self, pair: Pair) -> int:
        return self.pairs.setdefault(pair, len(self.pairs))

    def mark(self, what: str, pairs: Any, starts: Any, ends: Any, values: Any = 1) -> None:
        """In each hour from start to end, *values* of *what*. NumPy arrays, one element a mark, or numbers for all."""
        one, start, end, value = np.broadcast_arrays(pairs, starts, ends, values)
        self.marks.setdefault(what, []).append((one, start, end, value))


class Gathered(NamedTuple):
    """The signs of both tables, and what hangs on no hour."""

    tables: dict[str, Signs]
    read_for: tuple[int | None, int | None]  # the hours the logs were read for, where not all of them
    has_digests: bool
    nameless: int  # files in trouble whose name says no hour


def gather(
    logs: Iterable[Mapping[str, Any]], listed: Iterable[Mapping[str, Any]], hours: pa.Table, blind: pa.Table
) -> Gathered:
    """Signs from the store's logs and the files its digests list (`Store.each_log`, `Store.each_listed_file`), and from
    the rows of evidence/hours and evidence/blind_intervals.
    """
    tables = {name: Signs(name) for name in TABLES}
    windows: set[tuple[str, str]] = set()
    known: set[str] = set()
    nameless = _name_files(logs, tables, windows, known)
    for signs in tables.values():
        _count_records(signs, hours.filter(pc.equal(hours["source_table"], signs.table)))
    _measure_blindness(tables["flow_records"], blind)
    has_digests = _hear(tables["cloudtrail_events"], listed, known)
    return Gathered(tables, _read_for(windows), has_digests, nameless)


def _name_files(
    files: Iterable[Mapping[str, Any]], tables: dict[str, Signs], windows: set[tuple[str, str]], known: set[str]
) -> int:
    delivered: dict[str, list[tuple[int, int]]] = {name: [] for name in tables}
    nameless = 0
    for row in files:
        key = row["key"]
        windows.add((row["window_start"], row["window_end"]))
        known.add(name_of(key))
        is_troubled, said = row["state"] != "stored", parse(key)
        if said is None or said.time is None:
            nameless += is_troubled
            for signs in tables.values():
                signs.all_named = False  # what the file holds may be of any time
        if said is None or said.log == "CloudTrail-Digest":
            continue
        table = "flow_records" if said.log == "vpcflowlogs" else "cloudtrail_events"
        signs = tables[table]
        pair = signs.index((said.account_id, said.region))
        if said.time is None:
            continue
        hour = said.time // HOUR_S
        if is_troubled:
            lag = {"lag_s": AGGREGATION_S} if table == "flow_records" else {}
            signs.lost.append(Lost("quarantined", pair, *file_hours(said, **lag), name_of(key)))
            signs.life.append((hour, hour + 1))
        if said.log in ("CloudTrail", "vpcflowlogs") and row["state"] != "quarantined":
            delivered[table].append((pair, hour))
    for table, of_table in delivered.items():
        if of_table:
            pairs, hours = np.array(of_table, np.int64).T
            tables[table].mark("files", pairs, hours, hours + 1)
            tables[table].named = int(hours.min()), int(hours.max())
    return nameless


def _count_records(signs: Signs, rows: pa.Table) -> None:
    if not rows.num_rows:
        if signs.named:
            signs.life.append((signs.named[0], signs.named[1] + 1))
        return
    pairs = _pairs(signs, rows)
    hours = as_integers(rows["hour_start"]) // HOUR_US
    for what, column in (("records", "record_count"), ("nodata", "nodata_count")):
        signs.mark(what, pairs, hours, hours + 1, as_integers(rows[column]))
    first, last = int(hours.min()), int(hours.max())
    if signs.named and signs.all_named:  # an event delivered weeks late does not make those weeks part of the evidence
        first, last = (min(max(hour, signs.named[0]), signs.named[1]) for hour in (first, last))
    signs.life.append((first, last + 1))


def _measure_blindness(signs: Signs, rows: pa.Table) -> None:
    if not rows.num_rows:
        return
    pairs = _pairs(signs, rows)
    start, end = (as_integers(rows[name]) // 1_000_000 for name in ("start_time", "end_time"))
    end = np.maximum(end, start + 1)
    interfaces = as_integers(rows["interface_count"])
    first, last = start // HOUR_S, (end - 1) // HOUR_S
    signs.mark("blind", pairs, first, last + 1)
    whole = last > first + 1
    signs.mark("blind_s", pairs, first, first + 1, (np.minimum(end, (first + 1) * HOUR_S) - start) * interfaces)
    signs.mark("blind_s", pairs, last, last + 1, np.where(last > first, end - last * HOUR_S, 0) * interfaces)
    signs.mark("blind_s", pairs[whole], first[whole] + 1, last[whole], HOUR_S * interfaces[whole])


def _hear(signs: Signs, listed: Iterable[Mapping[str, Any]], known: set[str]) -> bool:
    has_digests = False
    for what, account_id, region, start, end, name in testimony(listed, known):
        has_digests = True
        if what == "digests":
            signs.index((account_id, region))
        elif what == "trail":
            signs.life.append((start, end))
        elif what == "lost":
            signs.lost.append(Lost("lost", signs.index((account_id, region)), start, end, name))
        else:
            signs.mark(what, np.array([signs.index((account_id, region))]), start, end)
    return has_digests


def _pairs(signs: Signs, rows: pa.Table) -> Any:
    """The number of each row's pair; what the record does not tell, the key of its file may."""
    columns = [
        pc.dictionary_encode(rows[name].combine_chunks(), null_encoding="encode")
        for name in ("account_id", "region", "log_file")
    ]
    account, region, file = (column.indices.to_numpy().astype(np.int64) for column in columns)
    accounts, regions, files = (column.dictionary.to_pylist() for column in columns)
    places, place = np.unique((account * len(regions) + region) * len(files) + file, return_inverse=True)
    found = []
    for at in places.tolist():
        whose, log_file = divmod(at, len(files))
        said = (parse(files[log_file]) if files[log_file] else None) or Named("", None, None)
        account_id, of_region = accounts[whose // len(regions)], regions[whose % len(regions)]
        found.append(signs.index((account_id or said.account_id, of_region or said.region)))
    return np.array(found, np.int64)[place]


def _read_for(windows: set[tuple[str, str]]) -> tuple[int | None, int | None]:
    """The hours that at least one file was read for; None where a side was open."""
    starts, ends = {start for start, _ in windows} or {""}, {end for _, end in windows} or {""}
    return hour_of(min(starts)) if "" not in starts else None, hour_of(max(ends), up=True) if "" not in ends else None


def hour_of(moment: datetime | str, *, up: bool = False) -> int:
    """The hour, counted from 1970, that *moment* (aware, or its ISO text) lies in, or the one that begins by then."""
    seconds = (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp()
    return math.ceil(seconds / HOUR_S) if up else math.floor(seconds / HOUR_S)
