"""The store and its ledger."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditkit import parts
from auditkit.entries import FileEntry
from auditkit.errors import StoreError
from auditkit.logs.parsed import BadRecord
from auditkit.parts import Part
from auditkit.schema import TABLES
from auditkit.store import Store


def entry(key: str, **facts: object) -> FileEntry:
    return FileEntry(key=key, size=1, version="1", window_start="", window_end="", state="stored", **facts)  # type: ignore[arg-type]


def part(store: Store, *keys: str) -> Part:
    schema = TABLES["flow_records"].file_arrow
    rows = pa.Table.from_pylist([{"srcaddr": "192.0.2.1", "log_file": key} for key in keys], schema=schema)
    return parts.write(store.folder, "flow_records", date(2026, 11, 2), rows, tuple(dict.fromkeys(keys)))


def test_no_store_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="auditkit ingest LOGS --store"):
        Store(tmp_path / "nowhere")


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path, create=True)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path)


def test_something_else_in_the_ledgers_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("not a database, but long enough to be looked at by SQLite" * 20)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


def test_files_and_parts_appear_together_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, create=True)
    store.commit([entry("a", stored=1, records=1)], [part(store, "a")])
    broken = [entry("b", stored=1, records=1), entry("b", stored=1, records=1, bad=(BadRecord(0, None, b""),))]  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="What was stored before is intact"):
        store.commit(broken, [part(store, "b")])
    assert set(store.known_files()) == {"a"}
    assert len(store.parts()["flow_records"]) == 1
    assert store.sweep() == 1


def test_a_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, create=True)
    store.commit([entry("a", stored=1, records=1)], [part(store, "a")])

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("auditkit.parts.pq.write_table", no_room)
    with pytest.raises(StoreError, match="No space left on device"):
        store.commit([entry("b")], [part(store, "b")])
    assert set(store.known_files()) == {"a"}


def test_a_forgotten_file_takes_its_rows_and_no_others(tmp_path: Path) -> None:
    store = Store(tmp_path, create=True)
    store.commit([entry("a", stored=1, records=1), entry("b", stored=2, records=2)], [part(store, "a", "b", "b")])
    store.forget(["a"])
    assert set(store.known_files()) == {"b"}
    [left] = store.parts()["flow_records"]
    assert pq.ParquetFile(left).read()["log_file"].to_pylist() == ["b", "b"]
    store.forget(["b"])
    assert store.parts()["flow_records"] == []
    assert not list(tmp_path.rglob("*.parquet"))


def test_books_name_what_was_not_stored_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, create=True)
    bad = BadRecord(3, "no eventTime", b"{}")
    store.commit([entry("a", records=2, stored=1, quarantined=1, bad=(bad,), reason="1 of 2")], [])
    assert store.books()["bad_records"] == [{"key": "a", "position": 3, "reason": "no eventTime"}]
