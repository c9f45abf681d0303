"""What `ingest` and `compact` say: to a program, to a person, and while they are at it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.records import flow_line, record, write_flows, write_trail
from tests.trails import write_digest

CODE = "import sys, auditkit.ingest; auditkit.ingest.BATCH_FILES = 2; from auditkit.cli import main; main(sys.argv[1:])"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    for n in range(20):
        write_trail(logs / f"{n:02}.json", *(record(f"e{n + m}") for m in range(30)))
    write_trail(logs / "bad.json", record("x", eventTime=...), record("y"))
    (logs / "cut.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    (logs / "notes.md").write_text("# notes")
    write_flows(logs / "f.log", flow_line(), flow_line())
    return logs


def test_ingest_tells_a_program_all_it_did(logs: Path, command: Command) -> None:
    write_digest(logs / "digests", 9)
    said = command("ingest", logs, "--store", "store", "--json")
    told = said.json
    assert told.pop("seconds") > 0
    assert told.pop("bytes") == sum(path.stat().st_size for path in logs.rglob("*") if path.is_file())
    assert sorted(told.pop("quarantine"), key=str) == [
        {"file": str(logs / "bad.json"), "position": 0, "reason": "no eventTime"},
        {"file": str(logs / "cut.json.gz"), "position": None, "reason": told_of_cut(logs)},
    ]
    assert told == {
        "files": 25, "known_files": 0, "not_logs": 1, "digests": 1, "records": 604, "events": 50, "flow_records": 2,
        "duplicates": 551, "outside_window": 0, "set_apart": 0, "quarantined": 1, "quarantined_records": 1,
    }  # fmt: skip
    again = command("ingest", logs, "--store", "store", "--json").json
    assert (again["files"], again["known_files"], again["bytes"], again["quarantine"]) == (0, 25, 0, [])


def told_of_cut(logs: Path) -> str:
    from auditkit.errors import UnreadableFileError
    from auditkit.logs.opening import Text

    with pytest.raises(UnreadableFileError) as error, Text(logs / "cut.json.gz") as text:
        list(text.blocks())
    return str(error.value)


def test_ingest_tells_a_person_what_is_there_and_what_is_not(logs: Path, command: Command) -> None:
    write_digest(logs / "digests", 9)
    said = command("ingest", logs, "--store", "store", "--since", "2026-11-02T10:00:00Z")
    assert re.fullmatch(
        r"25 new files \(0 known\), [\d.]+ kB: 50 events and 2 flow records stored, 551 duplicates, [\d.]+ s\.\n",
        said.out,
    )
    assert said.err.splitlines() == [
        "1 digest of CloudTrail read, for `auditkit coverage`.",
        "1 file left out: no logs.",
        f"quarantined: {logs / 'bad.json'}, record 0: no eventTime",
        f"quarantined: {logs / 'cut.json.gz'}: {told_of_cut(logs)}",
    ]


def test_compact_tells_a_program_all_it_did(logs: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.ingest.BATCH_FILES", 2)
    command("ingest", logs, "--store", "store")
    said = command("compact", "--store", "store", "--json")
    told = said.json
    assert said.err == ""
    assert told.pop("seconds") > 0
    assert told.pop("bytes_before") > told.pop("bytes_after") > 0
    assert told == {"days": 1, "days_left": 1, "rows": 50, "parts_before": 11, "parts_after": 1}
    again = command("compact", "--store", "store", "--json").json
    assert (again["days"], again["days_left"], again["rows"], again["parts_after"]) == (0, 2, 0, 0)


# --- on a terminal -----------------------------------------------------------------------------------------------------


def on_a_terminal(*words: object, columns: int = 110) -> str:
    """What a terminal is sent, through standard error alone."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    run = subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, words)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=environment | {"TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    sent = b""
    while True:
        try:
            some = os.read(ours, 4096)
        except OSError:  # whoever had the other end is gone
            break
        if not some:
            break
        sent += some
    run.communicate()
    os.close(ours)
    assert run.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent.decode())


@pytest.mark.parametrize("processes", [1, 2])
def test_a_terminal_is_shown_how_far_it_is(processes: int, logs: Path, tmp_path: Path) -> None:
    shown = on_a_terminal("ingest", logs, "--store", tmp_path / "store", "--processes", processes)
    last = [line for line in re.split(r"[\r\n]+", shown) if line.startswith("reading")][-1]
    assert re.search(r"24/24 files, 604 records +[\d.]+ [kM]B/s 0:00:00", last), last
    assert "quarantined: " in shown


def test_a_narrow_terminal_is_shown_the_same(logs: Path, tmp_path: Path) -> None:
    shown = on_a_terminal("ingest", logs, "--store", tmp_path / "store", columns=64)
    assert "24/24 files, 604 records" in shown


def test_nobody_watching_is_shown_nothing(logs: Path, tmp_path: Path) -> None:
    for name in ("bad.json", "cut.json.gz", "notes.md"):
        (logs / name).unlink()
    for words in (["ingest", logs, "--store", tmp_path / "store"], ["compact", "--store", tmp_path / "store"]):
        done = subprocess.run([sys.executable, "-c", CODE, *map(str, words)], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
