"""Reading in several processes: the same store as in one, whoever is quicker, and whoever dies."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from auditkit.errors import SourceError
from auditkit.ingest import IngestReport, ingest
from auditkit.model import Window
from auditkit.store import Store
from tests.records import flow_line, record, write_flows, write_trail
from tests.s3_server import Filled, Scripted, listing, refusal
from tests.stores import assert_balanced, assert_sound, content, ids, told


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.ingest.BATCH_FILES", 3)


def fill(logs: Path) -> None:
    """Of everything some: events that other batches repeat, copied flow logs, what cannot be read. The first file is
    long, so that its reader is the last to be done with its batch.
    """
    rng = random.Random(5)
    logs.mkdir()
    long = [{"eventTime": "2026-11-02T09:00:00Z", "eventID": f"e{n % 13_000}", "eventName": "X"} for n in range(13_100)]
    (logs / "00.json.gz").write_bytes(gzip.compress(json.dumps(long).encode(), 1))
    for n in range(1, 34):
        path = logs / f"{n:02}.json"
        if n % 7 == 0:
            write_flows(logs / f"{n:02}.log", *(flow_line(dstport=n % 3 * 100 + m) for m in range(9)))
        elif n % 11 == 0:
            path.write_bytes(b"\x1f\x8b\x08\x00cut")
        elif n % 13 == 0:
            (logs / f"{n:02}.md").write_text("# notes\n")
        else:
            picked = [record(f"e{rng.randrange(12_990, 13_060)}", recipientAccountId=...) for _ in range(20)]
            write_trail(path, *picked, record("bad", eventTime=...), record(f"own-{n}"))


def read(folder: Path, logs: Path | str, processes: int, **how: Any) -> tuple[Store, IngestReport]:
    store = Store(folder, create=True)
    return store, ingest(store, [logs], processes=processes, **how)


def children() -> list[int]:
    """The readers that this process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            words = stat.with_name("cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == os.getpid() and state != "Z" and "auditkit" in words and "reader" in words:
            found.append(int(stat.parent.name))
    return found


def test_the_store_is_the_same_whoever_reads(tmp_path: Path) -> None:
    """Rows, winners among duplicates, books and report."""
    fill(tmp_path / "logs")
    alone, said = read(tmp_path / "1", tmp_path / "logs", 1)
    assert (said.files, said.quarantined, said.not_logs) == (34, 3, 2)
    assert said.duplicates > 200
    for processes in (2, 3):
        together, also_said = read(tmp_path / str(processes), tmp_path / "logs", processes)
        assert content(together) == content(alone)
        assert also_said == said
        assert_sound(together, swept=True)
    assert {row["key"]: row["reason"] for row in alone.files() if row["kind"] == "flowlogs" and not row["stored"]} == {
        str(tmp_path / "logs" / "28.log"): "a copy of another file"
    }


def test_commits_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    fill(tmp_path / "logs")
    store = Store(tmp_path / "store", create=True)
    known: list[int] = []

    def look(_: object) -> None:
        names = sorted(Path(key).name for key in store.known_files())
        known.append(len(names))
        assert names == sorted(path.name for path in (tmp_path / "logs").iterdir())[: len(names)]

    ingest(store, [tmp_path / "logs"], processes=2, progress=look)
    assert known == [*range(0, 34, 3), 34]


def test_a_window_and_a_second_run_are_the_same_for_all(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for n in range(12):
        write_trail(
            logs / f"{n:02}.json", *(record(f"{n}-{day}", eventTime=f"2026-11-0{day}T10:00:00Z") for day in (1, 2, 3))
        )
    window = Window.parse("2026-11-02", None, now=None)  # type: ignore[arg-type]
    store, report = read(tmp_path / "store", logs, 2, window=window)
    assert (report.events, report.outside_window) == (24, 12)
    write_trail(logs / "late.json", record("late"), record("3-2"))
    report = ingest(store, [logs], window=window, processes=2)
    assert (report.files, report.known_files, report.events, report.duplicates) == (1, 12, 1, 1)
    assert ingest(store, [logs], processes=2).events == 38 - 1
    assert_sound(store, swept=True)


def test_objects_are_read_by_the_readers_too(filled: Filled, tmp_path: Path) -> None:
    fill(tmp_path / "logs")
    filled.copy(tmp_path / "logs")
    _, said = read(tmp_path / "1", filled.url, 1)
    asked = len(filled.asked.read)
    store, also_said = read(tmp_path / "2", filled.url, 2)
    assert len(filled.asked.read) == asked + 34
    assert told(also_said) == told(said)
    assert content(store) == content(Store(tmp_path / "1"))


def test_what_stops_a_reader_on_purpose_is_told_as_it_is(scripted: Scripted, tmp_path: Path) -> None:
    keys = [f"{n}.json" for n in range(9)]

    def script(request: Any) -> Any:
        return listing(*((key, 9, "e") for key in keys)) if request.prefix is not None else refusal(400, "ExpiredToken")

    scripted(script)
    with pytest.raises(SourceError, match="credentials have expired"):
        read(tmp_path / "store", "s3://logs", 2)
    assert children() == []


# --- a reader dies -----------------------------------------------------------------------------------------------------


def test_a_reader_that_is_killed_now_and_then_costs_nothing(tmp_path: Path) -> None:
    """Whichever, and whatever it was at."""
    fill(tmp_path / "logs")
    expected = sorted(ids(read(tmp_path / "alone", tmp_path / "logs", 1)[0]))
    killed = 0
    for seed in range(5):
        rng = random.Random(seed)
        over = threading.Event()
        deaths: list[int] = []

        def kill(rng: random.Random = rng, over: threading.Event = over, deaths: list[int] = deaths) -> None:
            while not over.wait(rng.uniform(0.02, 0.4)) and len(deaths) < 3:
                if readers := children():
                    deaths.append(rng.choice(readers))
                    os.kill(deaths[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        store, report = read(tmp_path / str(seed), tmp_path / "logs", 2)
        over.set()
        killer.join()
        killed += len(deaths)
        assert report.files == 34
        assert_sound(store)
        assert_balanced(store, report)
        ingest(store, [tmp_path / "logs"])  # a reader may have been killed twice over the same file
        assert sorted(ids(store)) == expected
        assert_sound(store, swept=True)
    assert killed > 3
    assert children() == []


POISONED = """
import os, signal, sys
from auditkit import batches, reader
Text = batches.Text
def poisoned(source, **how):
    if "poison" in str(source):
        {end}
    return Text(source, **how)
batches.Text = poisoned
reader.serve(int(sys.argv[1]))
"""


def poison(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Readers that end whenever they open a file of that name."""
    start = subprocess.Popen

    def started(words: list[str], **how: Any) -> Any:
        assert words[1:4] == ["-P", "-m", "auditkit.reader"]
        return start([sys.executable, "-c", POISONED.format(end=end), words[-1]], **how)

    monkeypatch.setattr("auditkit.readers.subprocess.Popen", started)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("raise MemoryError", "status 1"),
        ("os._exit(7)", "status 7"),
    ],
)
def test_a_file_that_ends_its_reader_each_time_is_quarantined(
    end: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "logs"
    for n in range(20):
        write_trail(logs / f"{n:02}{'-poison' if n in (0, 10, 11) else ''}.json", record(f"e{n}"), record(f"e{n + 1}"))
    poison(monkeypatch, end)
    store, report = read(tmp_path / "store", logs, 2)
    assert (report.files, report.quarantined) == (20, 3)
    assert {Path(trouble["file"]).name for trouble in report.quarantine} == {
        "00-poison.json",
        "10-poison.json",
        "11-poison.json",
    }
    assert all(reason in trouble["reason"] and "memory" in trouble["reason"] for trouble in report.quarantine)
    assert set(ids(store)) == {f"e{n}" for n in range(21)} - {"e0", "e11"}
    assert_sound(store)
    monkeypatch.undo()
    report = ingest(store, [logs])  # it may have been the machine's fault, so it is tried again
    assert (report.files, report.known_files, report.quarantined) == (3, 17, 0)
    assert set(ids(store)) == {f"e{n}" for n in range(21)}
    assert_sound(store, swept=True)


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", ""])
def test_where_no_reader_can_be_started_the_owner_reads(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program with Python inside it is no Python."""
    fill(tmp_path / "logs")
    monkeypatch.setattr("sys.executable", program)
    store, report = read(tmp_path / "store", tmp_path / "logs", 2)
    assert (report.files, report.quarantined) == (34, 3)
    assert_sound(store, swept=True)


def test_a_mistake_of_ours_is_told_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(9):
        write_trail(tmp_path / "logs" / f"{n}-poison.json", record(f"e{n}"))
    poison(monkeypatch, "raise KeyError('ours')")
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*KeyError: 'ours'"):
        read(tmp_path / "store", tmp_path / "logs", 2)
    assert children() == []


def test_readers_import_nothing_from_the_folder_they_are_run_in(tmp_path: Path) -> None:
    """It may be the folder of the logs, and whoever wrote those may have put modules beside them."""
    logs = tmp_path / "logs"
    for n in range(6):
        write_trail(logs / f"{n}.json", record(f"e{n}"))
    for name in ("auditkit", "numpy", "queue", "msgspec", "sitecustomize"):
        (logs / f"{name}.py").write_text("import pathlib; pathlib.Path('imported').touch()\n")
    code = (
        "import sys; from pathlib import Path; import auditkit.ingest as i; from auditkit.store import Store; "
        "i.BATCH_FILES = 1; print(i.ingest(Store(Path(sys.argv[1]), create=True), ['.'], processes=2).events)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path / "store")],
        cwd=logs, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("6\n", "")
    assert not (logs / "imported").exists()


def test_readers_end_with_their_owner(tmp_path: Path) -> None:
    """However it ends, and without a word."""
    fill(tmp_path / "logs")
    code = (
        "import sys; from pathlib import Path; import auditkit.ingest as i; from auditkit.store import Store; "
        "i.BATCH_FILES = 1; i.ingest(Store(Path(sys.argv[1]), create=True), [sys.argv[2]], processes=2)"
    )
    for delay_s in (0, 0.05, 0.2, 0.4):
        run = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "store"), str(tmp_path / "logs")],
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        while not members(run.pid) - {run.pid} and run.poll() is None:
            time.sleep(0.01)
        time.sleep(delay_s)
        run.kill()
        _, said = run.communicate()  # to the end of what its readers say, too
        assert said == b""
        assert wait_for(lambda run=run: not members(run.pid))


def members(session: int) -> set[int]:
    """The processes of a session."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def wait_for(is_so: Any, most_s: float = 5) -> bool:
    end = time.monotonic() + most_s
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(is_so())
