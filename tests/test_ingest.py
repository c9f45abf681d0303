"""Logs into a store: once, whole, and with the books balanced."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditkit.errors import SourceError
from auditkit.ingest import Reached, ingest
from auditkit.model import Window
from auditkit.schema import TABLES
from auditkit.store import Store
from tests.records import ACCOUNT, START, flow_line, record, write_flows, write_trail
from tests.stores import assert_balanced, events, flows, ids


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def test_logs_of_both_kinds_are_stored_by_day(store: Store, logs: Path) -> None:
    write_trail(
        logs / "a.json.gz",
        record("b"),
        record("a", eventTime="2026-11-03T00:00:00Z"),
        record("c", eventTime="2026-11-02T09:00:00Z"),
    )
    write_flows(logs / "f.log.gz", flow_line(), flow_line(start=START + 86_400))
    report = ingest(store, [logs])
    assert (report.files, report.events, report.flow_records, report.duplicates, report.quarantined) == (2, 3, 2, 0, 0)
    assert ids(store) == ["c", "b", "a"]
    days = [part.parent.name for parts in store.parts().values() for part in parts]
    assert days == ["event_date=2026-11-02", "event_date=2026-11-03"] * 2
    for table, parts in store.parts().items():
        assert pq.read_schema(parts[0]).equals(TABLES[table].file_arrow)
    assert_balanced(store, report)


def test_every_row_names_its_file(store: Store, logs: Path) -> None:
    a, b = write_trail(logs / "a.json", record("a")), write_trail(logs / "b.json", record("b"))
    ingest(store, [logs])
    assert {row["event_id"]: row["log_file"] for row in events(store)} == {"a": str(a), "b": str(b)}


def test_a_second_run_reads_nothing(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"))
    ingest(store, [logs])
    before = store.parts()
    report = ingest(store, [logs])
    assert (report.files, report.known_files, report.events) == (0, 1, 0)
    assert store.parts() == before


def test_a_late_file_for_an_old_day_is_picked_up(store: Store, logs: Path) -> None:
    write_trail(logs / "new.json", record("new", eventTime="2026-11-09T00:00:00Z"))
    ingest(store, [logs])
    write_trail(logs / "late.json", record("late", eventTime="2026-11-01T00:00:00Z"))
    assert ingest(store, [logs]).events == 1
    assert ids(store) == ["late", "new"]


def test_an_event_delivered_twice_is_stored_once_and_counted(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"), record("a"), record("b"))
    write_trail(logs / "b.json.gz", record("b"), record("c"))
    first = ingest(store, [logs])
    assert (first.records, first.events, first.duplicates) == (5, 3, 2)
    write_trail(logs / "c.json", record("c"), record("d"))
    second = ingest(store, [logs])
    assert (second.events, second.duplicates) == (1, 1)
    assert ids(store) == ["a", "b", "c", "d"]
    assert_balanced(store)


def test_copies_for_two_accounts_are_two_events(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"), record("a", recipientAccountId="444455556666"))
    assert ingest(store, [logs]).events == 2


def test_a_copied_flow_log_counts_once(store: Store, logs: Path) -> None:
    write_flows(logs / "f.log", flow_line(), flow_line())
    write_flows(logs / "copy.log.gz", flow_line(), flow_line())
    report = ingest(store, [logs])
    assert (report.flow_records, report.duplicates) == (2, 2)  # the two lines of one file are two records
    write_flows(logs / "later" / "again.log", flow_line(), flow_line())
    assert ingest(store, [logs]).duplicates == 2
    assert_balanced(store)


def test_files_that_cannot_be_read_are_named_and_the_rest_goes_on(store: Store, logs: Path) -> None:
    write_trail(logs / "good.json", record("a"))
    whole = write_trail(logs / "cut.json.gz", record("b")).read_bytes()
    (logs / "cut.json.gz").write_bytes(whole[:-9])
    (logs / "empty.json").write_bytes(b"")
    (logs / "junk.bin").write_bytes(bytes(range(256)))
    (logs / "text.log").write_text("nothing of ours\n")
    (logs / "README.md").write_text("# about these logs\n")
    report = ingest(store, [logs])
    assert (report.files, report.events, report.quarantined, report.not_logs) == (6, 1, 4, 1)
    reasons = {Path(trouble["file"]).name: trouble["reason"] for trouble in report.quarantine}
    assert set(reasons) == {"cut.json.gz", "empty.json", "junk.bin", "text.log"}
    assert "cut short" in reasons["cut.json.gz"]
    assert {Path(row["key"]).name: row["state"] for row in store.books()["troubled"]} == {
        "cut.json.gz": "quarantined", "empty.json": "quarantined", "junk.bin": "quarantined", "text.log": "quarantined",
        "README.md": "not a log",
    }  # fmt: skip


def test_a_record_that_cannot_be_kept_is_named_with_its_place(store: Store, logs: Path) -> None:
    path = write_trail(logs / "a.json", record("a"), record("x", eventTime=...), record("b"))
    report = ingest(store, [logs])
    assert (report.events, report.quarantined, report.quarantined_records) == (2, 0, 1)
    assert report.quarantine == [{"file": str(path), "position": 1, "reason": "no eventTime"}]
    assert store.books()["troubled"][0]["state"] == "partial"
    assert_balanced(store, report)


def test_a_mended_file_is_read_again(store: Store, logs: Path) -> None:
    path = write_trail(logs / "a.json.gz", record("a"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    ingest(store, [logs])
    path.write_bytes(whole)
    assert ingest(store, [logs]).events == 1
    assert store.books()["troubled"] == []


def test_a_changed_file_replaces_its_rows_and_no_others(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"), record("b"))
    write_flows(logs / "f.log", flow_line(), flow_line())
    write_trail(logs / "other.json", record("z"))
    ingest(store, [logs])
    write_trail(logs / "a.json", record("b", eventName="PutSecretValue"), record("c"), record("d"))
    write_flows(logs / "f.log", flow_line(dstport=22))
    ingest(store, [logs])
    assert ids(store) == ["b", "c", "d", "z"]
    assert {row["event_id"]: row["event_name"] for row in events(store)}["b"] == "PutSecretValue"
    assert flows(store) == 1
    assert_balanced(store)
    on_disk = {path for table in TABLES for path in (store.folder / table).rglob("*.parquet")}
    assert on_disk == {part for parts in store.parts().values() for part in parts}


def test_what_a_changed_file_no_longer_holds_comes_back_from_its_copies(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"), record("b"))
    write_trail(logs / "b.json", record("b"))
    write_flows(logs / "f.log", flow_line())
    write_flows(logs / "g.log", flow_line())
    assert ingest(store, [logs]).duplicates == 2
    write_trail(logs / "a.json", record("a"))
    write_flows(logs / "f.log", flow_line(dstport=22))
    ingest(store, [logs])
    assert ids(store) == ["a", "b"]
    assert flows(store) == 2
    assert_balanced(store)


def test_only_records_inside_the_window_are_stored(store: Store, logs: Path) -> None:
    """Half-open: what happens at the start is in, what happens at the end is out."""
    times = ["2026-11-01T23:59:59Z", "2026-11-02T00:00:00Z", "2026-11-02T23:59:59Z", "2026-11-03T00:00:00Z"]
    write_trail(logs / "a.json", *(record(time, eventTime=time) for time in times))
    write_flows(logs / "f.log", flow_line(), flow_line(start=START + 86_400))
    window = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    report = ingest(store, [logs], window=window)
    assert ids(store) == times[1:3]
    assert (report.events, report.flow_records, report.outside_window) == (2, 1, 3)
    assert_balanced(store, report)


def test_a_wider_window_reads_a_file_again_and_a_narrower_one_does_not(store: Store, logs: Path) -> None:
    write_trail(
        logs / "a.json", record("1", eventTime="2026-11-01T00:00:00Z"), record("2", eventTime="2026-11-02T00:00:00Z")
    )
    day_2 = Window(datetime(2026, 11, 2, tzinfo=UTC), None)
    ingest(store, [logs], window=day_2)
    assert ids(store) == ["2"]
    assert ingest(store, [logs], window=day_2).known_files == 1
    assert ingest(store, [logs]).events == 2
    assert ids(store) == ["1", "2"]
    assert ingest(store, [logs], window=day_2).known_files == 1
    assert_balanced(store)


def test_events_of_several_batches_are_told_apart(store: Store, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.ingest.BATCH_FILES", 3)
    for n in range(10):
        write_trail(logs / f"{n}.json", record(f"e{n}"), record(f"e{n + 1}"))
    report = ingest(store, [logs])
    assert (report.events, report.duplicates) == (11, 9)
    assert len(store.parts()["cloudtrail_events"]) > 1
    assert_balanced(store, report)


def test_a_place_that_is_not_there_changes_nothing(store: Store, logs: Path) -> None:
    with pytest.raises(SourceError):
        ingest(store, [logs / "nowhere"])
    assert store.books()["files"] == 0


def test_leftovers_of_a_killed_run_are_never_read_and_swept(store: Store, logs: Path) -> None:
    write_trail(logs / "a.json", record("a"))
    ingest(store, [logs])
    [part] = store.parts()["cloudtrail_events"]
    stray = part.with_name("part-feedfeedfeedfeed.parquet")
    shutil.copy(part, stray)
    (part.parent / "part-0.parquet.unfinished").write_bytes(b"half")
    assert ids(store) == ["a"]
    ingest(store, [logs])
    assert sorted(part.parent.iterdir()) == [part]


def test_progress_tells_how_many_of_how_many(store: Store, logs: Path) -> None:
    for n in range(3):
        write_trail(logs / f"{n}.json", record(f"e{n}"))
    told: list[Reached] = []
    ingest(store, [logs], progress=told.append)
    assert [(now.files, now.of_files, now.records) for now in told] == [(0, 3, 0), (3, 3, 3)]
    assert told[-1].bytes == told[-1].of_bytes > 0


def test_the_garbage_collector_is_left_as_it_was(store: Store, logs: Path) -> None:
    gc.disable()
    try:
        ingest(store, [logs])
        assert not gc.isenabled()
    finally:
        gc.enable()
    ingest(store, [logs])
    assert gc.isenabled()


def test_random_records_are_all_accounted_for(store: Store, logs: Path) -> None:
    """Whatever lies in a file, each record ends up in exactly one column of the books."""
    strange: list[Any] = [
        record("a"),
        record("a"),
        {},
        [],
        None,
        3,
        "text",
        record("b", eventTime="?"),
        record("c", extra={"é": "\x00"}),
    ]
    (logs / "a.json").write_text(json.dumps({"Records": strange}))
    report = ingest(store, [logs])
    assert (report.records, report.events, report.duplicates, report.quarantined_records) == (9, 2, 1, 6)
    assert_balanced(store, report)


def test_the_account_may_be_missing(store: Store, logs: Path) -> None:
    nobody = {"type": "AWSService", "invokedBy": "ecs.amazonaws.com"}
    write_trail(logs / "a.json", *(record("a", recipientAccountId=..., userIdentity=nobody) for _ in range(2)))
    assert (ingest(store, [logs]).duplicates, events(store)[0]["account_id"]) == (1, None)
    assert ACCOUNT not in {row["account_id"] for row in events(store)}


def test_parts_hold_no_partition_column(store: Store, logs: Path) -> None:
    """Athena refuses a table whose partition key is also a column of its files."""
    write_trail(logs / "a.json", record("a"))
    ingest(store, [logs])
    [part] = store.parts()["cloudtrail_events"]
    assert "event_date" not in pq.read_schema(part).names
    assert pq.read_schema(part).field("event_time").type == pa.timestamp("us")


def test_reading_logs_does_not_import_pandas(tmp_path: Path, logs: Path) -> None:
    """pyarrow imports it at the first value it converts, which costs more than reading a small folder does."""
    write_trail(logs / "a.json", record("a"), record("a"), record("b", mine=1), record("c", readOnly=...))
    write_flows(logs / "f.log", flow_line())
    code = (
        "import sys; from pathlib import Path; from auditkit.ingest import ingest; from auditkit.store import Store; "
        "ingest(Store(Path(sys.argv[1]), create=True), [sys.argv[2]]); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "store"), str(logs)], check=False).returncode == 0
