"""`auditkit coverage`: what is covered in one sentence, what is not in a few lines, and all of it as JSON and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from auditkit import coverage_text
from tests.conftest import Command
from tests.records import flow_line, write_flows
from tests.trails import REGION, at, trail_key, write_digest, write_flow_hour, write_hour

OTHER = "444455556666"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A morning: hour 9 lost a file, 10 is quiet, 11 has one that cannot be read; flow records are blind at 9."""
    folder = tmp_path / "logs"
    keys = {hour: write_hour(folder, hour) for hour in (8, 9, 11, 12)}
    for hour in range(7, 14):
        write_digest(folder, hour, [keys[hour]] if hour in keys else [])
    (folder / keys[9]).unlink()
    (folder / keys[11]).write_bytes(b"\x1f\x8b\x08\x00cut")
    skipped = write_flow_hour(folder, 9, "SKIPDATA")
    skipped.rename(skipped.with_name("skipped.log.gz"))
    write_flow_hour(folder, 8)
    write_flow_hour(folder, 9)
    return folder


WINDOW = ("--since", "2026-11-02T08:00", "--until", "2026-11-02T13:00")


def test_the_table_says_first_how_much_is_covered_and_then_what_is_not(command: Command, logs: Path) -> None:
    said = command("coverage", logs, *WINDOW)
    first, _, behind = said.out.partition("\n")
    assert said.code == 0
    assert first == "4 of 10 hours are covered; 4 missing, 1 blind, 1 quarantined, in 4 spans."
    assert "from 2026-11-02T08:00:00Z to 2026-11-02T13:00:00Z" in behind
    lines = [" ".join(line.split()) for line in behind.splitlines()]
    assert f"cloudtrail_events 111122223333 {REGION} 2 1 1 0 1" in lines
    lost = "1 file that a digest lists is not among those read"
    where = f"cloudtrail_events 111122223333 {REGION}"
    told = [f"{where} 2026-11-02 09:00 2026-11-02 10:00 1 missing {lost}", f"{where} 2026-11-02 11:00"]
    places = [next(n for n, line in enumerate(lines) if line.startswith(start)) for start in told]
    assert places == sorted(places), "the worst comes first"
    assert f"{Path(trail_key(at(11, 35))).name}: gzip cut short" in said.out
    assert "There are no digests" not in said.out


def test_json_holds_every_span_and_the_names_of_what_is_gone(command: Command, logs: Path) -> None:
    answer = command("coverage", logs, *WINDOW, "--format", "json").json
    assert list(answer) == [
        "window", "judged", "summary", "hours", "spans", "files", "quarantined", "records", "balanced", "unknown",
    ]  # fmt: skip
    assert answer["window"] == answer["judged"] == {"start": "2026-11-02T08:00:00Z", "end": "2026-11-02T13:00:00Z"}
    assert answer["balanced"] is True
    assert answer["hours"]["cloudtrail_events"] == {"seen": 2, "quiet": 1, "missing": 1, "blind": 0, "quarantined": 1}
    assert sum(answer["summary"].values()) == sum(span["hours"] for span in answer["spans"])
    lost = [span for span in answer["spans"] if span["proof"] == "listed files"]
    assert [(span["start"], span["files"]) for span in lost] == [
        ("2026-11-02T09:00:00Z", [Path(trail_key(at(9, 35))).name.removesuffix(".gz")])
    ]
    assert len(answer["quarantined"]) == answer["files"]["quarantined"] == 1


def test_csv_holds_a_line_a_span_fit_for_a_spreadsheet(command: Command, logs: Path) -> None:
    command("coverage", logs, *WINDOW, "--format", "csv", "--out", "spans.csv")
    rows = list(csv.DictReader(io.StringIO(Path("spans.csv").read_text())))
    assert {row["state"] for row in rows} == {"seen", "quiet", "missing", "blind", "quarantined"}
    assert list(rows[0])[:5] == ["table", "account_id", "region", "state", "proof"]


def test_a_store_is_judged_like_its_logs(command: Command, logs: Path) -> None:
    command("ingest", logs, "--store", "store")
    as_stored = command("coverage", "--store", "store", *WINDOW, "--format", "json").json
    assert as_stored == command("coverage", logs, *WINDOW, "--format", "json").json


def test_an_expected_account_that_is_not_there_is_missing(command: Command, logs: Path) -> None:
    said = command("coverage", logs, *WINDOW, "--accounts", f"{OTHER}, 111122223333", "--regions", REGION)
    assert f"cloudtrail_events {OTHER} {REGION} 0 0 5 0 0" in " ".join(said.out.split())
    assert said.code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--accounts", "1111-2222-3333"), "'1111-2222-3333' is not an account id"),
        (("--regions", "frankfurt"), "'frankfurt' is not a region"),
        (("--since", "yesterday"), "'yesterday' is not a time"),
        (("--format", "parquet"), "is not one of 'table', 'json', 'csv'"),
    ],
)
def test_wrong_use_exits_2(command: Command, logs: Path, words: tuple[str, ...], message: str) -> None:
    said = command("coverage", logs, *words)
    assert (said.code, said.out) == (2, "")
    assert message in said.err


def test_a_slip_is_told_before_any_log_is_read(command: Command, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.opening.ingest", lambda *_, **__: pytest.fail("logs were read"))
    assert command("coverage", logs, "--regions", "x").code == 2


def test_all_hours_covered_is_said_in_the_singular_too(command: Command, tmp_path: Path) -> None:
    write_hour(tmp_path / "logs", 10)
    assert command("coverage", tmp_path / "logs").out.startswith("The only hour is covered.\n")
    write_hour(tmp_path / "logs", 11)
    assert command("coverage", tmp_path / "logs").out.startswith("All 2 hours are covered.\n")


def test_no_logs_have_no_hour(command: Command, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    said = command("coverage", tmp_path / "logs")
    assert (said.code, said.out) == (0, "There is no hour to judge: the logs show no sign of life in the window.\n")


def test_many_spans_are_counted_and_not_all_shown(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage_text, "LISTED", 2)
    for hour in range(0, 10, 2):
        write_flow_hour(tmp_path / "logs", hour)
    out = command("coverage", tmp_path / "logs").out
    assert out.startswith("5 of 9 hours are covered; 4 missing, in 4 spans.")
    assert out.count("nothing shows whether") == 2
    assert "and 2 more spans; --format json names them all" in out


def test_a_hostile_file_name_cannot_steer_the_terminal(command: Command, tmp_path: Path) -> None:
    write_flows(tmp_path / "logs" / "flows.log", flow_line())
    (tmp_path / "logs" / "a\x1b[2Jb.json").write_text("no log")
    said = command("coverage", tmp_path / "logs")
    assert "\x1b" not in said.out + said.err
    assert "a\\u001b[2Jb.json" in said.out
