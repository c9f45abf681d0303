"""What a window is compared with: an age of the same logs, or a store of earlier ones; each event counts once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import auditkit
from auditkit.audit import Audit
from auditkit.baseline import Before
from auditkit.catalogue import Catalogue
from auditkit.errors import ParameterError, WindowError
from auditkit.model import Finding, Window
from tests.records import record, write_trail

DAY = datetime(2026, 11, 15, tzinfo=UTC)
RULE = "test.new_call"


def call(day: int, name: str, hour: int = 12) -> dict[str, Any]:
    moment = f"2026-11-{day:02}T{hour:02}:00:00Z"
    return record(f"{name}-{day}-{hour}", eventTime=moment, eventName=name, eventSource="iam.amazonaws.com")


@pytest.mark.parametrize(("text", "written"), [("14d", "14d"), ("2w", "14d"), ("36h", "36h"), ("90m", "90m")])
def test_an_age_is_read_and_written(text: str, written: str) -> None:
    before = Before.parse(text)
    assert str(before) == written
    assert Before.parse(str(before)) == before


def test_a_baseline_that_is_neither_age_nor_store_is_refused(tmp_path: Path) -> None:
    for text in ("14", "d", str(tmp_path), "2026-11-01"):
        with pytest.raises(ParameterError, match=r"an age \(14d, 2w\) or a store"):
            Before.parse(text)


def test_it_reaches_back_from_the_start_of_the_window() -> None:
    window = Window(DAY, DAY + timedelta(days=1))
    assert Before.parse("2d").reach(window) == Window(DAY - timedelta(days=2), window.end)
    with pytest.raises(WindowError, match=r"no start.*--since.*--baseline STORE"):
        Before.parse("2d").reach(Window())


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two weeks of ListUsers, then ListUsers and ListRoles on the 16th."""
    events = [*(call(day, "ListUsers") for day in range(1, 17)), call(16, "ListRoles")]
    write_trail(tmp_path / "logs" / "all.json", *events)
    return tmp_path / "logs"


@pytest.fixture
def new_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule, about calls that are new."""
    folder = tmp_path / "queries" / "rules" / "test"
    folder.mkdir(parents=True)
    header = ["title: new", "kind: first_seen", "severity: high", "why: a", "response: b", "false_positives: c", "blind_spots: d"]  # fmt: skip
    sql = "SELECT *, event_name AS resource FROM cloudtrail_events WHERE event_source = 'iam.amazonaws.com'"
    (folder / "new_call.sql").write_text("".join(f"-- {line}\n" for line in header) + sql, encoding="utf-8")
    own = Catalogue(Catalogue.load().queries, Catalogue.load(tmp_path / "queries").rules)
    monkeypatch.setattr(Audit, "catalogue", own)


def found(audit: Audit) -> list[Finding]:
    run = audit.evaluate()
    assert not run.failed, run.failed
    return run.findings


@pytest.mark.usefixtures("new_calls")
def test_an_age_of_the_same_logs(logs: Path) -> None:
    with auditkit.open(logs, since="2026-11-15", baseline="14d") as audit:
        assert [finding.resource for finding in found(audit)] == ["ListRoles"]
    with auditkit.open(logs, since="2026-11-16", baseline="1h") as audit:
        assert found(audit) == []
        assert audit.evaluate().skipped == {RULE: "no CloudTrail events in the baseline"}
    with auditkit.open(logs, since="2026-11-15") as audit:
        assert "--baseline" in audit.evaluate().skipped[RULE]


def test_an_age_without_a_start_is_refused_before_anything_is_read(logs: Path) -> None:
    with pytest.raises(WindowError, match="has no start"):
        auditkit.open(logs, baseline="14d")


@pytest.mark.usefixtures("new_calls")
def test_a_store_of_earlier_logs_that_overlaps_counts_each_event_once(logs: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    auditkit.open(logs, store=earlier).close()  # it has the window itself as well
    today = tmp_path / "today"
    write_trail(today / "today.json", call(16, "ListUsers"), call(16, "ListRoles"), call(16, "ListRoles", 13))
    for since in (None, "2026-11-16"):
        with auditkit.open(today, since=since, baseline=earlier) as audit:
            [finding] = found(audit)
            assert (finding.resource, finding.event_count) == ("ListRoles", 2)
            assert finding.evidence == ("ListRoles-16-12", "ListRoles-16-13")
    with auditkit.open(today, until="2026-11-15", baseline=earlier) as audit:
        assert found(audit) == []
