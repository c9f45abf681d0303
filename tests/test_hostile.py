"""Whatever lies among the logs: counted or named, and no harm to the rest."""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditkit.ingest import IngestReport, ingest
from auditkit.logs.reading import Options
from auditkit.store import Store
from tests.records import flow_line, record, trail, write_flows, write_trail
from tests.stores import assert_balanced, assert_sound, events, flows, ids
from tests.test_archives import zipped, zstd
from tests.test_envelopes import log_event

ONE = json.dumps(record("x")).encode()
ZEROS = b'{"Records":[' + bytes(3_000_000)
MANY = b'{"Records":[' + b",".join([ONE] * 30_000) + b"]}"  # more than a block: it is read as it comes
OTHERS = b"".join(b'{"level":"info","n":%d}\n' % n for n in range(100_000))


def small(n: int) -> bytes:
    return b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"s%d","eventName":"X"}' % n


# The file, then: the state it gets, what the reason says, the events stored.
FILES: dict[str, tuple[bytes, str, str, int]] = {
    "gzip cut short": (gzip.compress(trail(record()))[:-9], "quarantined", "gzip cut short", 0),
    "bytes behind gzip": (gzip.compress(trail(record())) + b"more", "quarantined", "unexpected bytes after the end", 0),
    "gzip bomb": (gzip.compress(ZEROS), "quarantined", "more than 2,000,000 bytes", 0),
    "gzip bomb in gzip": (gzip.compress(gzip.compress(ZEROS)), "quarantined", "more than 2,000,000 bytes", 0),
    "zip bomb": (zipped({"a.json": ZEROS}), "quarantined", "more than 2,000,000 bytes", 0),
    "zstd bomb": (zstd(ZEROS), "quarantined", "more than 2,000,000 bytes", 0),
    "nothing": (b"", "quarantined", "empty", 0),
    "white space": (b" \n" * 50, "quarantined", "empty", 0),
    "bytes": (random.Random(1).randbytes(5_000), "quarantined", "not UTF-8", 0),
    "zeros": (bytes(5_000), "quarantined", "neither CloudTrail JSON nor flow-log text", 0),
    "a zero between records": (trail(record("a"), record("b")).replace(b"}, {", b"},\0{"), "quarantined", "breaks", 0),
    "a zero in a record": (trail(record("a", userAgent="\0")), "stored", "", 1),
    "Latin-1": (trail(record(userAgent="HERE")).replace(b"HERE", b"\xe9"), "quarantined", "not UTF-8 text at byte", 0),
    "deep": (b"[" * 100_000, "quarantined", "nested too deeply", 0),
    "deep in a record": (trail(record(new="HERE")).replace(b'"HERE"', b"[" * 10**5 + b"]" * 10**5), "quarantined", "deep", 0),
    "30,000 in a line": (b"[%b]" % b",".join(map(small, range(25_000))), "stored", "", 25_000),
    "another program's": (OTHERS[:1_900_000].rpartition(b"\n")[0], "quarantined", "none of the first", 0),
    "another program's, short": (OTHERS[:30_000].rpartition(b"\n")[0], "quarantined", "none of the first", 0),
    "words": (b"nothing of ours\n" * 10, "quarantined", "neither CloudTrail JSON nor flow-log text", 0),
    "a number": (b"5", "quarantined", "neither CloudTrail JSON nor flow-log text", 0),
    "half a record": (trail(record("a"), record("b"))[:-300], "quarantined", "1 whole record stands before it", 0),
    "no record": (b'{"Records":[{}]}', "quarantined", "1 of 1 records cannot be read", 0),
    "one bad record": (trail(record("a"), 5), "partial", "1 of 2 records cannot be read", 1),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write_trail(tmp_path / "logs" / "good.json", record("good"))
    return tmp_path / "logs"


def reasons(store: Store) -> dict[str, str]:
    return {Path(file["key"]).name: file["reason"] for file in store.files() if file["state"] == "quarantined"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_content_gets_a_state_and_a_reason(name: str, store: Store, logs: Path) -> None:
    data, state, reason, count = FILES[name]
    (logs / "x.json").write_bytes(data)
    report = ingest(store, [logs], options=Options(max_bytes=2_000_000))
    [file] = [file for file in store.files() if file["key"].endswith("x.json")]
    assert file["state"] == state
    assert reason in (file["reason"] or "")
    assert (report.files, report.events, report.quarantined) == (2, 1 + count, state == "quarantined")
    assert len(report.quarantine) == (state != "stored")
    assert len(json.dumps(report.quarantine)) < 1_000
    assert_sound(store, swept=True)
    assert_balanced(store, report)


def test_a_bomb_that_is_read_as_it_comes_leaves_no_record(store: Store, logs: Path) -> None:
    (logs / "x.json.gz").write_bytes(gzip.compress(MANY, 1))
    report = ingest(store, [logs], options=Options(max_bytes=len(MANY) - 1))
    assert "as a gzip bomb would be; --max-text allows more" in reasons(store)["x.json.gz"]
    assert (report.events, report.duplicates, ids(store)) == (1, 0, ["good"])
    assert_sound(store, swept=True)
    assert ingest(store, [logs], options=Options(max_bytes=len(MANY) - 1)).files == 0
    report = ingest(store, [logs], options=Options(max_bytes=len(MANY)))
    assert (reasons(store), report.events, report.duplicates) == ({}, 1, 29_999)


def test_a_record_of_fifty_megabytes_is_a_record(store: Store, logs: Path) -> None:
    agent = b"x" * (50 << 20)
    (logs / "x.json").write_bytes(trail(record("long", userAgent="HERE"), record("next")).replace(b"HERE", agent))
    report = ingest(store, [logs])
    assert (report.events, report.quarantined) == (3, 0)
    [row] = [row for row in events(store) if row["event_id"] == "long"]
    assert row["user_agent"] == agent.decode()


def test_what_is_kept_of_bad_records_is_bounded(store: Store, logs: Path) -> None:
    (logs / "x.json").write_bytes(trail(record("a"), "HERE").replace(b"HERE", b"x" * 5_000_000))  # type: ignore[arg-type]
    ingest(store, [logs])
    assert (store.folder / "ledger.sqlite").stat().st_size < 500_000
    assert_balanced(store)


def test_what_is_no_file_is_named_and_not_waited_for(store: Store, logs: Path) -> None:
    (logs / "nowhere").symlink_to(logs / "gone")
    (logs / "itself").symlink_to(logs / "itself")
    (logs / "again").symlink_to(logs)
    os.mkfifo(logs / "pipe.json")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(logs)  # the name of a socket has room for a hundred characters
        try:
            server.bind("socket.json")
        finally:
            os.chdir(here)
    write_trail(logs / "folder.json.gz" / "inside.json", record("inside"))
    name = os.fsdecode(b"caf\xe9.json")
    write_trail(logs / name, record("latin"))
    report = ingest(store, [logs])
    assert ids(store) == ["good", "inside", "latin"]
    assert {row["log_file"] for row in events(store) if row["event_id"] == "latin"} == {f"{logs}/caf\\xe9.json"}
    assert reasons(store) == {
        "nowhere": "cannot be opened: No such file or directory",
        "itself": "cannot be opened: Too many levels of symbolic links",
        "pipe.json": "cannot be opened: not a regular file",
        "socket.json": "cannot be opened: No such device or address",
    }
    assert (report.files, report.quarantined) == (7, 4)
    assert_sound(store, swept=True)


# --- files that do not stand still -------------------------------------------------------------------------------------


def test_a_file_that_goes_before_it_is_read_is_named(store: Store, logs: Path) -> None:
    gone = write_trail(logs / "gone.json", record("gone"))
    ingest(store, [logs], progress=lambda _: gone.unlink(missing_ok=True))
    assert reasons(store) == {"gone.json": "cannot be opened: No such file or directory"}
    assert ids(store) == ["good"]
    write_trail(gone, record("back"))
    assert ingest(store, [logs]).events == 1
    assert reasons(store) == {}


def test_a_file_that_grows_is_read_again(store: Store, logs: Path) -> None:
    growing = logs / "growing.json"
    growing.write_bytes(ONE + b"\n")
    ingest(store, [logs], progress=lambda _: growing.write_bytes(ONE + b"\n" + ONE.replace(b'"x"', b'"y"')))
    assert ids(store) == ["good", "x", "y"]
    assert ingest(store, [logs]).files == 1
    assert ids(store) == ["good", "x", "y"]
    assert_sound(store, swept=True)


LINES = b"".join(json.dumps(record(f"e{n:02}")).encode() + b"\n" for n in range(40))
FLOWS = "".join(flow_line(dstport=n) + "\n" for n in range(300)).encode()


@pytest.mark.parametrize(
    ("before", "after", "state", "then"),
    [
        (LINES, LINES + ONE, "stored", 41),
        (LINES, LINES + ONE[:40], "partial", 0),
        (LINES, LINES[:5_000], "partial", 0),
        (LINES, b"", "quarantined", 0),
        (LINES, b"words\n" * 5_000, "partial", 0),
        (FLOWS, FLOWS + flow_line().encode(), "stored", 301),
        (FLOWS, FLOWS[:5_000].rpartition(b"\n")[0], "stored", 54),
    ],
)
def test_a_long_file_that_changes_while_it_is_read(
    before: bytes, after: bytes, state: str, then: int, store: Store, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read twice, first to see whether it is whole. What was stored of it is put right by the next run."""
    monkeypatch.setattr("auditkit.logs.opening._READ_BYTES", 1_000)
    monkeypatch.setattr("auditkit.logs.opening.BLOCK_BYTES", 1_000)
    monkeypatch.setattr("auditkit.batches.CHUNK_RECORDS", 4)
    path = logs / "changing.log"
    path.write_bytes(before)
    from auditkit.logs import reading

    def changed(pieces: Any, again: Callable[[Any], Any] = reading._again) -> Any:
        path.write_bytes(after)
        return again(pieces)

    monkeypatch.setattr(reading, "_again", changed)
    report = ingest(store, [logs])
    [file] = [file for file in store.files() if file["key"] == str(path)]
    assert file["state"] == state
    if state != "stored":
        assert "changed while it was being read" in file["reason"]
        assert [trouble["file"] for trouble in report.quarantine] == [str(path)]
    assert (state == "partial") <= (file["stored"] > 0)
    assert_sound(store, swept=True)
    monkeypatch.undo()
    os.utime(path, ns=(1, 1))
    ingest(store, [logs])
    assert len(ids(store)) + flows(store) == 1 + then
    assert_sound(store, swept=True)


# --- flow-log lines in JSON --------------------------------------------------------------------------------------------


def told(report: IngestReport) -> tuple[int, int, int, int]:
    return report.events, report.flow_records, report.duplicates, report.quarantined_records


def test_flow_log_lines_of_an_unknown_format_are_bad_records_of_their_file(store: Store, logs: Path) -> None:
    """They came in one wrapping with events, which are kept."""
    odd = [log_event(f"a {n} 1793613600 1793613660") for n in range(3)]
    (logs / "mixed.json").write_text(json.dumps({"events": [log_event(json.dumps(record("e"))), *odd]}))
    (logs / "only.json").write_text(json.dumps({"events": odd}))
    report = ingest(store, [logs])
    assert told(report) == (2, 0, 0, 6)
    assert {Path(file["key"]).name: file["state"] for file in store.files()} == {
        "good.json": "stored", "mixed.json": "partial", "only.json": "quarantined",
    }  # fmt: skip
    assert_sound(store, swept=True)
    assert_balanced(store, report)


def test_long_files_that_begin_alike_are_no_copies(store: Store, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.logs.opening._READ_BYTES", 1_000)
    monkeypatch.setattr("auditkit.logs.opening.BLOCK_BYTES", 1_000)
    monkeypatch.setattr("auditkit.batches.CHUNK_BYTES", 500)
    for name, last in (("a", 1), ("b", 2), ("copy", 2)):
        lines = [*(flow_line(dstport=n) for n in range(50)), flow_line(dstport=last)]
        (logs / f"{name}.json").write_text("".join(json.dumps(log_event(line)) for line in lines))
        write_flows(logs / f"{name}.log", *(flow_line(start=1793613600 + n * 60) for n in range(50)), lines[-1])
    report = ingest(store, [logs])
    assert told(report) == (1, 4 * 51, 2 * 51, 0)
    assert_sound(store, swept=True)
