"""A store made smaller and quicker: the many parts of a day become few, with like beside like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from auditkit import parts
from auditkit.parts import ROW_GROUP, Part
from auditkit.store import Store

# What is alike compresses well together, and a question for one service or interface steps over the others.
_ORDER = {
    "cloudtrail_events": ("event_source", "event_name", "event_time"),
    "flow_records": ("interface_id", "start_time"),
}
_REPEATED = {  # kept as dictionaries on the way: in plain text they would be most of the memory
    "cloudtrail_events": ["user_identity", "user_agent", "log_file", "extra", "principal_arn"],
    "flow_records": ["log_file"],
}

Progress = Callable[[int, int], None]  # days done, days in all


@dataclass(slots=True)
class CompactReport:
    """What one compaction did. A day of one table counts as one."""

    days: int = 0  # that were merged
    days_left: int = 0  # that were as few parts as can be
    rows: int = 0  # in the days merged
    parts_before: int = 0
    parts_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def compact(store: Store, *, progress: Progress | None = None) -> CompactReport:
    """Merge the parts of each day and sort their rows. No row changes; a day is merged whole or not at all.

    Needs the memory of one part, about 122,880 rows, whatever the day holds. Waits for an ingest that runs.
    Raises: StoreError, when the store cannot be written.
    """
    report = CompactReport()
    with store.locked():
        store.sweep()
        days = store.days()
        for done, (table, day, small) in enumerate(days):
            if progress:
                progress(done, len(days))
            if len(small) <= -(-sum(part.row_count for part in small) // ROW_GROUP):
                report.days_left += 1
                continue
            merged = list(_merged(store.folder, table, day, small))
            report.days += 1
            report.rows += sum(part.row_count for part in merged)
            report.parts_before += len(small)
            report.parts_after += len(merged)
            report.bytes_before += _size(store.folder, small)
            report.bytes_after += _size(store.folder, merged)
            store.replace(small, merged)
        if progress:
            progress(len(days), len(days))
    return report


def _merged(folder: Path, table: str, day: date, small: Sequence[Part]) -> Iterator[Part]:
    """New parts, full ones but for the last, with the rows of the *small* ones."""
    waiting: list[pa.Table] = []
    held = 0
    for part in small:
        rows = pq.ParquetFile(folder / part.path, read_dictionary=_REPEATED[table]).read()
        while held + len(rows) >= ROW_GROUP:
            taken = ROW_GROUP - held
            yield _written(folder, table, day, [*waiting, rows.slice(0, taken)])
            rows, waiting, held = rows.slice(taken), [], 0
        waiting.append(rows)
        held += len(rows)
    if held:
        yield _written(folder, table, day, waiting)


def _written(folder: Path, table: str, day: date, tables: Sequence[pa.Table]) -> Part:
    rows = pa.concat_tables(tables).unify_dictionaries()
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in _ORDER[table]])
    keys = tuple(sorted(pc.unique(rows["log_file"]).to_pylist()))
    return parts.write(folder, table, day, rows.take(order), keys)


def _size(folder: Path, of: Sequence[Part]) -> int:
    return sum((folder / part.path).stat().st_size for part in of)
