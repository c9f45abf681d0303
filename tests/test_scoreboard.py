"""The scoreboard counts what it says it counts; what it says of the rules is for a reader, and never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditkit.catalogue import Catalogue
from tests.benchmarks import scoreboard
from tests.benchmarks.scoreboard import agreement, apart, by_severity, judged, technique
from tests.benchmarks.table import Desk, shown
from tests.records import record, write_trail
from tests.report_samples import finding


def test_every_part_of_the_scoreboard_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = tmp_path / "logs"
    monkeypatch.setenv("AUDITKIT_REAL_LOGS", str(logs))
    stopped = record(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", requestParameters={"name": "t"})
    write_trail(logs / scoreboard.TECHNIQUES / "trail-stopped.json", stopped)
    write_trail(logs / scoreboard.TECHNIQUES / "secret-read.json", record())
    tests = [{"rule": "R", "name": str(expected), "expected": expected, "log": stopped} for expected in (True, False)]
    logs.joinpath(scoreboard.LABELLED).parent.mkdir()
    logs.joinpath(scoreboard.LABELLED).write_text("\n".join(map(json.dumps, tests)))
    lines = list(scoreboard.score(Desk(tmp_path, quiet=True), events=200, runs=1))
    measured = {line.what.strip(): line for line in lines}
    assert measured["techniques found at medium or above"].measured == "1"
    assert measured["techniques found at medium or above"].reach == ">= 2"
    assert measured["trail-stopped"].measured == "critical, logging.trail_switched_off (critical)"
    assert measured["secret-read"].ok is False
    assert measured["labelled events on which we agree"].measured == "1 of 2"
    assert measured["R: False"].measured == "cloudtrail StopLogging: logging.trail_switched_off"
    assert "R: True" not in measured
    assert any(what.startswith("findings per 1,000 of 200 ordinary events") for what in measured)
    assert measured["150 / 50"].measured.endswith(" x")
    assert not any(what.startswith("FAILED") for what in measured)
    assert "nan" not in shown(lines)


def test_without_real_logs_it_says_so_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_REAL_LOGS", str(tmp_path / "none"))
    first = next(scoreboard.score(Desk(tmp_path, quiet=True), events=1, runs=1))
    assert first.what == "NO REAL LOGS WERE SCORED"
    assert str(tmp_path / "none") in first.measured


def test_a_technique_is_found_by_its_worst_finding() -> None:
    found = technique(
        "t",
        [
            finding(rule="a.b", severity="high"),
            finding(rule="c.d", severity="low"),
            finding(rule="c.d", severity="low"),
        ],
    )
    assert found.measured == "high, a.b (high), c.d (low)"
    assert [technique("t", some).ok for some in ([finding(rule="a.b", severity="medium")], [finding(rule="a.b", severity="low")], [])] == [
        True, False, False,
    ]  # fmt: skip


def test_a_technique_that_only_the_name_of_a_tool_gives_away_is_not_found() -> None:
    line = technique("t", [finding(rule=scoreboard.TOOL_NAMED, severity="high")])
    assert (line.measured, line.ok) == ("nothing", False)
    assert scoreboard.TOOL_NAMED in {rule.rule for rule in Catalogue.load().rules}


def test_labelled_events_do_not_add_up() -> None:
    event = {"eventID": "same", "eventTime": None, "eventName": "X"}
    one, other = apart([{"log": event}, {"log": event}])
    assert one["eventID"] != other["eventID"]
    assert one["eventTime"][:10] != other["eventTime"][:10]
    assert one["eventName"] == "X"


def test_a_label_agrees_with_what_fired_on_its_event_alone() -> None:
    tests = [{"rule": "R", "name": str(n), "expected": n < 2, "log": {"eventName": "X"}} for n in range(4)]
    labels = judged(
        tests,
        [
            finding(rule="a.b", severity="low", evidence=("0", "2")),
            finding(rule="c.d", severity="low", evidence=("2",)),
        ],
    )
    assert [label.ours for label in labels] == [("a.b",), (), ("a.b", "c.d"), ()]
    assert [label.agreed for label in labels] == [True, False, False, True]
    assert [line.measured for line in agreement(labels)] == [
        "2 of 4", "1 of 2 fire a rule of ours", "1 of 2 fire a rule of ours",
    ]  # fmt: skip


def test_noise_is_counted_by_severity_with_the_loudest_rules_first() -> None:
    findings = [
        finding(rule="a.b", severity="low"),
        finding(rule="c.d", severity="low"),
        finding(rule="c.d", severity="low"),
        finding(rule="e.f", severity="critical"),
    ]
    lines = list(by_severity(findings, 1500))
    assert [(line.what.strip(), line.measured) for line in lines] == [
        ("critical", "0.67: e.f 1"), ("low", "2.00: c.d 2, a.b 1"),
    ]  # fmt: skip
