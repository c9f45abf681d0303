"""What a store holds, and whether it is as sound as it promises to be."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from auditkit.ingest import IngestReport
from auditkit.schema import TABLES
from auditkit.store import Store

WAYS = ("stored", "duplicates", "quarantined", "outside", "set_apart")


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    """All rows of a table, in an order that is the same for the same rows."""
    found = [row for part in store.parts()[table] for row in pq.ParquetFile(part).read().to_pylist()]
    return sorted(found, key=repr)


def events(store: Store) -> list[dict[str, Any]]:
    return sorted(rows(store, "cloudtrail_events"), key=lambda row: (row["event_time"], row["event_id"]))


def ids(store: Store) -> list[str]:
    return [row["event_id"] for row in events(store)]


def flows(store: Store) -> int:
    return sum(pq.ParquetFile(part).metadata.num_rows for part in store.parts()["flow_records"])


def content(store: Store) -> dict[str, Any]:
    """Every row, and what the ledger says of every file."""
    return {table: rows(store, table) for table in TABLES} | {"files": store.files(), "books": store.books()}


def told(report: IngestReport) -> dict[str, Any]:
    """A report, whatever the order in which its files were read."""
    return asdict(report) | {"quarantine": sorted(report.quarantine, key=repr)}


def assert_balanced(store: Store, report: IngestReport | None = None) -> None:
    books = store.books()
    assert books["records"] == sum(books[way] for way in WAYS)
    assert books["stored"] == len(ids(store)) + flows(store)
    if report:
        stored = report.events + report.flow_records
        lost = report.quarantined_records + report.outside_window + report.set_apart
        assert report.records == stored + report.duplicates + lost


def assert_sound(store: Store, *, swept: bool = False) -> None:
    """Every part that the ledger lists is there, whole, and from the files that it says; each file has as many rows as
    its line in the ledger says; no event is there twice; and the books balance. *swept*: there is no other part.
    """
    with closing(sqlite3.connect(store.folder / "ledger.sqlite")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        parts = ledger.execute("SELECT id, path, row_count FROM parts").fetchall()
        sources = ledger.execute(
            "SELECT part_id, key FROM part_files JOIN files ON files.id = part_files.file_id"
        ).fetchall()
        files = ledger.execute(f"SELECT key, state, records, {', '.join(WAYS)} FROM files").fetchall()
    stored: Counter[str] = Counter()
    seen: list[tuple[str, str]] = []
    for part_id, path, row_count in parts:
        table = pq.ParquetFile(store.folder / path).read()
        assert table.num_rows == row_count > 0, path
        counts = {row["values"]: row["counts"] for row in pc.value_counts(table["log_file"]).to_pylist()}
        assert set(counts) == {key for of_part, key in sources if of_part == part_id}, path
        stored.update(counts)
        if path.startswith("cloudtrail_events"):
            seen += zip(table["event_id"].to_pylist(), table["account_id"].to_pylist(), strict=True)
    assert [event for event, count in Counter(seen).items() if count > 1] == []
    for key, state, records, *ways in files:
        assert records == sum(ways), key
        assert ways[0] == stored[key], key
        assert state in ("stored", "partial") or not ways[0], key
    if swept:
        on_disk = {str(path.relative_to(store.folder)) for path in _parts_on_disk(store.folder)}
        assert on_disk == {path for _, path, _ in parts}


def _parts_on_disk(folder: Path) -> list[Path]:
    return [path for table in TABLES for path in (folder / table).rglob("*") if path.is_file()]
