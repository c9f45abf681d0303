"""Rows that come from an engine, as parts of a store: each event once, each day by itself, whatever the order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from auditkit import parts
from auditkit.duplicates import SeenEvents
from auditkit.fingerprints import fingerprints
from auditkit.logs import arrays
from auditkit.parts import Part
from auditkit.pulls import UNNAMED, PulledFile
from auditkit.schema import TABLES

PART_ROWS = parts.ROW_GROUP
MOST_WAITING = 96 << 20  # bytes of rows that wait in memory for others of their day
_TIME = {"cloudtrail_events": "event_time", "flow_records": "start_time"}
_KIND = {"cloudtrail_events": "cloudtrail", "flow_records": "flowlogs"}


class ArrivingRows:
    """Rows as they come, as parts of a store that its ledger does not have yet."""

    def __init__(self, folder: Path, table: str) -> None:
        self._folder, self._table = folder, table
        self._schema = TABLES[table].file_arrow
        self._waiting: defaultdict[int, list[pa.Table]] = defaultdict(list)  # by day since 1970
        self._seen = SeenEvents(_Nothing())
        self._stored: Counter[str] = Counter()
        self._copies: Counter[str] = Counter()
        self.parts: list[Part] = []

    @property
    def stored(self) -> int:
        return self._stored.total()

    @property
    def duplicates(self) -> int:
        return self._copies.total()

    def take(self, batch: pa.Table) -> None:
        """The rows of *batch* but for copies of events that came before."""
        columns = {name: batch[name].cast(self._schema.field(name).type) for name in self._schema.names}
        columns["log_file"] = pc.fill_null(columns["log_file"], arrays.text(UNNAMED))
        rows = pa.table(columns, schema=self._schema).combine_chunks()
        days = arrays.as_integers(rows[_TIME[self._table]]) // arrays.DAY_MICROS
        if self._table == "cloudtrail_events":
            fresh = self._fresh(rows, days)
            self._copies.update(_counted(rows.filter(arrays.mask(~fresh))))
            rows, days = rows.filter(arrays.mask(fresh)), days[fresh]
        self._stored.update(_counted(rows))
        for day in np.unique(days).tolist():
            self._waiting[day].append(rows.filter(arrays.mask(days == day)))
        self._write(PART_ROWS)
        if sum(table.nbytes for waiting in self._waiting.values() for table in waiting) > MOST_WAITING:
            self._write(1)

    def finish(self) -> None:
        self._write(1)

    def files(self) -> list[PulledFile]:
        """What each file of the logs contributed."""
        keys = sorted(self._stored.keys() | self._copies.keys())
        kind = _KIND[self._table]
        return [PulledFile(key, kind, self._stored[key], self._copies[key]) for key in keys]

    def _fresh(self, rows: pa.Table, days: Any) -> Any:
        """Mask of the events that are no copies; one without an id is none."""
        known = arrays.as_mask(rows["event_id"].combine_chunks().is_valid())
        fresh = np.ones(len(rows), bool)
        named = rows.filter(arrays.mask(known))
        fresh[known] = self._seen.fresh(days[known], fingerprints(named["event_id"], named["account_id"]))
        return fresh

    def _write(self, least: int) -> None:
        """The days of which at least so many rows wait."""
        for day in [day for day, waiting in self._waiting.items() if _size(waiting) >= least]:
            rows = pa.concat_tables(self._waiting.pop(day)).sort_by(_TIME[self._table])
            keys = tuple(sorted(set(rows["log_file"].to_pylist())))
            self.parts.append(parts.write(self._folder, self._table, arrays.day(day), rows, keys))


class _Nothing:
    """A store without events: what was there of a day that is pulled is replaced."""

    def parts_of_day(self, table: str, day: date) -> list[Path]:
        return []


def _size(tables: Sequence[pa.Table]) -> int:
    return sum(len(table) for table in tables)


def _counted(rows: pa.Table) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in rows["log_file"].value_counts().to_pylist()}
