"""What an ingest promises whatever happens to it: nothing lost, nothing twice, and a store that can be read."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from auditkit import parts
from auditkit.compaction import compact
from auditkit.ingest import IngestReport, ingest
from auditkit.model import Window
from auditkit.store import Store
from tests.conftest import Said
from tests.records import flow_line, record, write_flows, write_trail
from tests.stores import assert_sound, content, flows, ids
from tests.test_readers import members, wait_for

FILES, EVENTS, FLOWS = 36, 36 * 8, 16


def fill(logs: Path, round_: int = 0) -> None:
    """Each file has eight events of its own and two of the file before. In every round some files are written anew."""
    for n in range(FILES):
        if round_ == 0 or n % 5 == round_ % 5:
            numbers = [n * 8 + m - 2 for m in range(10) if n or m > 1]
            times = [f"2026-11-{1 + number % 3:02}T10:00:00Z" for number in numbers]
            events = [
                record(f"e{e}", eventTime=at, userAgent=str(round_)) for e, at in zip(numbers, times, strict=True)
            ]
            write_trail(logs / f"{n:02}.json.gz", *events)
    if round_ == 0:
        for n in range(4):
            write_flows(logs / f"f{n}.log", *(flow_line(dstport=n % 2 * 8 + m) for m in range(8)))


EXPECTED = sorted(f"e{n}" for n in range(EVENTS))


class Workshop:
    """See tests.workshop."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workshop"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        self._answer()

    def start(self, *words: object) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Workshop()
    yield made
    made.close()


def is_over(number: int) -> bool:
    return not Path(f"/proc/{number}").exists()


def kill_after(number: int, delay_s: float) -> bool:
    """Whether it was still at work."""
    ended = wait_for(lambda: is_over(number), delay_s)
    if not ended:
        os.kill(number, signal.SIGKILL)
        assert wait_for(lambda: is_over(number))
    return not ended


# --- killed ------------------------------------------------------------------------------------------------------------


def test_killed_at_any_moment_it_goes_on_and_loses_nothing(tmp_path: Path, workshop: Workshop) -> None:
    """New files, changed ones, two readers, and two files a commit."""
    rng = random.Random(3)
    logs, folder = tmp_path / "logs", tmp_path / "store"
    fill(logs)
    killed = rounds = 0
    while killed < 30:
        number = workshop.start("ingest", folder, logs, 2)
        if kill_after(number, rng.uniform(0, 0.6)):
            killed += 1
            if (folder / "ledger.sqlite").exists():
                assert_sound(Store(folder, create=True))
            continue
        assert sorted(ids(Store(folder))) == EXPECTED
        rounds += 1
        fill(logs, rounds)
    ingest(Store(folder), [logs])
    store = Store(folder)
    assert sorted(ids(store)) == EXPECTED
    assert flows(store) == FLOWS
    assert len(store.files()) == FILES + 4
    assert_sound(store, swept=True)
    assert ingest(store, [logs]).files == 0


def test_compaction_may_be_killed_at_any_moment(tmp_path: Path, workshop: Workshop) -> None:
    rng = random.Random(4)
    logs, made, folder = tmp_path / "logs", tmp_path / "made", tmp_path / "store"
    fill(logs)
    ingesting = workshop.start("ingest", made, logs, 1)
    assert wait_for(lambda: is_over(ingesting), 30)
    expected = content(Store(made))
    killed = 0
    while killed < 10:
        if not folder.exists() or len(Store(folder).parts()["cloudtrail_events"]) <= 3:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(made, folder)
        killed += kill_after(workshop.start("compact", folder), rng.uniform(0, 0.08))
        assert_sound(Store(folder))
        assert content(Store(folder)) == expected
    compact(Store(folder))
    assert content(Store(folder)) == expected
    assert_sound(Store(folder), swept=True)


# --- at once -----------------------------------------------------------------------------------------------------------


def test_two_ingests_and_a_compaction_at_once(tmp_path: Path, workshop: Workshop) -> None:
    logs, folder = tmp_path / "logs", tmp_path / "store"
    fill(logs)
    for round_ in range(3):
        if round_:
            fill(logs, round_)
        Store(folder, create=True)
        at_once = [
            workshop.start("ingest", folder, logs, 2),
            workshop.start("ingest", folder, logs, 1),
            workshop.start("compact", folder),
            workshop.start("compact", folder),
        ]
        assert wait_for(lambda at_once=at_once: all(is_over(number) for number in at_once), 30)
        assert sorted(ids(Store(folder))) == EXPECTED
        assert_sound(Store(folder))
    ingest(Store(folder), [logs])
    assert_sound(Store(folder), swept=True)
    assert flows(Store(folder)) == FLOWS


def test_two_threads_at_once_store_everything_once(tmp_path: Path) -> None:
    fill(tmp_path / "logs")
    folder = tmp_path / "store"
    reports: list[IngestReport] = []

    def read() -> None:
        reports.append(ingest(Store(folder, create=True), [tmp_path / "logs"]))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.events for report in reports) == [0, 0, EVENTS]
    assert_sound(Store(folder), swept=True)


# --- time goes on ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2])
def test_a_store_follows_its_files_before_and_after_compaction(
    processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known files are left alone, late ones come in, changed ones replace their rows, a wider window finds more, and
    what a changed file no longer holds comes back from a copy: always as if all had been read just now, into nothing.
    """
    monkeypatch.setattr("auditkit.ingest.BATCH_FILES", 13)
    logs, store = tmp_path / "logs", Store(tmp_path / "store", create=True)

    def follow(window: Window) -> IngestReport:
        report = ingest(store, [logs], window=window, processes=processes)
        assert_sound(store, swept=True)
        assert ingest(store, [logs], window=window, processes=processes).files == 0
        anew = Store(tmp_path / f"anew-{len(list(tmp_path.iterdir()))}", create=True)
        ingest(anew, [logs], window=window)
        assert ids(store) == ids(anew)
        assert flows(store) == flows(anew)
        return report

    day_2, always = Window.parse("2026-11-02", None, now=None), Window()  # type: ignore[arg-type]
    fill(logs)
    follow(day_2)
    compact(store)
    late = write_trail(logs / "late.json", record("late", eventTime="2026-11-02T23:59:59Z"), record("e4"))
    assert follow(day_2).files == 1
    assert follow(always).files == FILES + 5
    compact(store)
    assert_sound(store, swept=True)
    fill(logs, 1)
    write_trail(logs / "00.json.gz", record("new"))  # 01 has e6 and e7 too, the late one e4
    write_flows(logs / "f0.log", flow_line(dstport=99))  # f2 was its copy
    follow(always)
    assert {"new", "late", "e4", "e6", "e7"} <= set(ids(store))
    assert "e0" not in ids(store)
    assert flows(store) == FLOWS + 1
    late.unlink()  # what was read is kept, whatever becomes of the file
    ingest(store, [logs], processes=processes)
    assert "late" in ids(store)


def test_what_a_changed_file_no_longer_holds_comes_back_from_another_place(tmp_path: Path) -> None:
    """Where two places are read into one store by turns, the copies are not there to be read when a file changes."""
    here, there, store = tmp_path / "here", tmp_path / "there", Store(tmp_path / "store", create=True)
    changing = write_trail(here / "latest.json", record("a"), record("b"))
    write_trail(there / "trail.json", record("a"), record("c"))
    write_trail(there / "other.json", record("d"))
    assert ingest(store, [here]).events + ingest(store, [there]).events == 4
    write_trail(changing, record("e"), record("c"))
    ingest(store, [here])
    assert ingest(store, [there]).files == 1
    assert ids(store) == ["a", "c", "d", "e"]
    assert_sound(store, swept=True)
    assert ingest(store, [here]).files + ingest(store, [there]).files + ingest(store, [here, there]).files == 0


def test_one_changed_file_does_not_rewrite_a_part_for_each_file_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two trails overlap every file has duplicates, and is read again when one changes."""
    fill(tmp_path / "logs")
    for n in range(3):
        write_trail(tmp_path / "logs" / f"own-{n}.json", record(f"own-{n}", eventTime=f"2026-11-{n + 1:02}T00:00:00Z"))
    store = Store(tmp_path / "store", create=True)
    ingest(store, [tmp_path / "logs"])
    compact(store)
    write_trail(tmp_path / "logs" / "00.json.gz", record("new"))
    written: list[date] = []
    whole = parts.write
    monkeypatch.setattr("auditkit.parts.write", lambda *words: written.append(words[2]) or whole(*words))
    ingest(store, [tmp_path / "logs"])
    assert len(written) == 3 + 3  # what is left of each day, and what is new or comes again
    assert_sound(store, swept=True)


# --- no room, no permission --------------------------------------------------------------------------------------------


def cli(*words: object, wrapper: tuple[str, ...] = (), **how: object) -> Said:
    """`auditkit WORDS...` as a process of its own."""
    command = [*wrapper, sys.executable, "-m", "auditkit", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_leaves_a_store_to_go_on_with(processes: int, tmp_path: Path) -> None:
    """The real writer, stopped by a real error: no file may grow beyond what there is room for."""
    rng = random.Random(1)
    logs, folder = tmp_path / "logs", tmp_path / "store"
    for n in range(3):
        write_trail(logs / f"{n}.json", *(record(f"{n}-{m}") for m in range(10)))
    ingest(Store(folder, create=True), [logs])
    for n in range(3, 6):
        write_trail(logs / f"{n}.json", *(record(f"{n}-{m}", userAgent=rng.randbytes(300).hex()) for m in range(1_000)))
    room = 2 * (folder / "ledger.sqlite").stat().st_size
    stopped = cli(
        *("ingest", logs, "--store", folder, "--processes", processes),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert (stopped.code, stopped.out) == (3, "")
    assert stopped.err.startswith(f"Error: Writing to the store at '{folder}' failed: ")
    assert "What was stored before is intact; run the same ingest again once there is room" in stopped.err
    assert stopped.err.count("\n") == 1
    assert len(ids(Store(folder))) == 30
    assert_sound(Store(folder))
    assert cli("ingest", logs, "--store", folder).code == 0
    assert len(ids(Store(folder))) == 3_030
    assert_sound(Store(folder), swept=True)


@pytest.fixture
def bound() -> tuple[str, ...]:
    """What to put in front of a command that permissions have to bind: they do not bind root."""
    if os.geteuid():
        return ()
    words = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    if not shutil.which("setpriv") or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("nothing here takes from root what makes it root")
    return words


@pytest.fixture
def permissions(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Changes permissions until the end of the test."""
    changed: list[Path] = []

    def change(path: Path, mode: int) -> None:
        changed.append(path)
        path.chmod(mode)

    yield change
    for path in changed:
        path.chmod(0o755)


def test_a_store_that_may_not_be_written_says_so(
    tmp_path: Path, bound: tuple[str, ...], permissions: Callable[[Path, int], None]
) -> None:
    logs, folder = tmp_path / "logs", tmp_path / "store"
    fill(logs)
    ingest(Store(folder, create=True), [logs])
    late = write_trail(logs / "late.json", record("late"))
    for path in [*folder.rglob("*"), folder]:
        permissions(path, 0o444 if path.is_file() else 0o555)
    for words in (("ingest", logs, "--store", folder), ("compact", "--store", folder)):
        said = cli(*words, wrapper=bound)
        assert (said.code, said.out) == (3, "")
        assert "Permission denied" in said.err
        assert said.err.count("\n") == 1
    rows = cli(
        "sql", "SELECT count(*) AS n FROM cloudtrail_events", "--store", folder, "--format", "json", wrapper=bound
    )
    assert json.loads(rows.out) == [{"n": EVENTS}]
    permissions(tmp_path, 0o555)
    said = cli("ingest", logs, "--store", tmp_path / "other", wrapper=bound)
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "cannot be opened: " in said.err
    permissions(logs, 0)
    permissions(tmp_path, 0o755)
    said = cli("ingest", late, "--store", tmp_path / "other", wrapper=bound)
    assert (said.code, said.err) == (2, f"Error: What is at {str(late)!r} cannot be seen: Permission denied.\n")


def test_what_may_not_be_read_is_named_and_read_once_it_may(
    tmp_path: Path, bound: tuple[str, ...], permissions: Callable[[Path, int], None]
) -> None:
    """A change of permissions changes neither size nor time of a file."""
    logs, folder = tmp_path / "logs", tmp_path / "store"
    write_trail(logs / "a.json", record("a"))
    forbidden = write_trail(logs / "b.json", record("b"))
    write_trail(logs / "sub" / "c.json", record("c"))
    permissions(forbidden, 0)
    permissions(logs / "sub", 0)
    for known in (0, 1):
        said = cli("ingest", logs, "--store", folder, "--json", wrapper=bound)
        report = json.loads(said.out)
        assert (said.code, report["files"], report["known_files"], report["quarantined"]) == (0, 3 - known, known, 2)
        assert report["quarantine"] == [
            {"file": str(path), "position": None, "reason": "cannot be opened: Permission denied"}
            for path in (forbidden, logs / "sub")
        ]
        assert ids(Store(folder)) == ["a"]
    forbidden.chmod(0o644)
    (logs / "sub").chmod(0o755)
    report = json.loads(cli("ingest", logs, "--store", folder, "--json", wrapper=bound).out)
    assert (report["files"], report["known_files"], report["quarantined"]) == (2, 1, 0)
    assert ids(Store(folder)) == ["a", "b", "c"]
    assert [file["state"] for file in Store(folder).files()] == ["stored"] * 3
    assert_sound(Store(folder), swept=True)


def test_what_cannot_be_had_now_takes_nothing_that_is_stored(tmp_path: Path) -> None:
    """A link to a disk that is not there today: what it led to was read yesterday."""
    disk, logs = tmp_path / "disk", tmp_path / "logs"
    logs.mkdir()
    (logs / "link.json").symlink_to(write_trail(disk / "a.json", record("a")))
    (logs / "later.json").symlink_to(disk / "later.json")
    store = Store(tmp_path / "store", create=True)
    assert ingest(store, [logs]).quarantined == 1
    disk.rename(tmp_path / "elsewhere")
    assert ingest(store, [logs]).files == 0
    assert ids(store) == ["a"]
    (tmp_path / "elsewhere").rename(disk)
    write_trail(disk / "later.json", record("later"))
    assert ingest(store, [logs]).files == 1
    assert ids(store) == ["a", "later"]


# --- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_ctrl_c_is_taken_calmly_at_any_moment(tmp_path: Path) -> None:
    """A terminal sends it to the owner and to all readers. It ends them, says one line, and leaves a store."""
    logs, folder = tmp_path / "logs", tmp_path / "store"
    fill(logs)
    code = (
        "import signal, sys, auditkit.ingest; auditkit.ingest.BATCH_FILES = 1; from auditkit.cli import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a background job of a shell ignores it
        "print('ready', flush=True); main(sys.argv[1:])"
    )
    words = [sys.executable, "-c", code, "ingest", str(logs), "--store", str(folder), "--processes", "2"]
    stopped = 0
    for delay_s in (0, 0.02, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5):
        if len(Store(folder, create=True).files()) > FILES:
            shutil.rmtree(folder)
        run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(delay_s)
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate(timeout=20)
        if out:  # all was done, and Python, which ends by the signal then, was leaving
            assert (run.returncode in (0, -signal.SIGINT), err) == (True, b""), delay_s
        else:
            assert (run.returncode, err.strip()) == (3, b"Stopped. What was stored is intact."), delay_s
        stopped += run.returncode == 3
        assert members(run.pid) == set()
        assert_sound(Store(folder, create=True))
    assert stopped > 4
    report = ingest(Store(folder), [logs])
    assert report.files + report.known_files == FILES + 4
    assert sorted(ids(Store(folder))) == EXPECTED
    assert_sound(Store(folder), swept=True)
