"""What a terminal, a program and a spreadsheet get of the findings: each once, and nothing left out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import auditkit
from auditkit.audit import Audit
from auditkit.finding_text import in_style
from auditkit.rules import RuleRun
from tests.records import record, write_trail

ALICE = "arn:aws:iam::111122223333:user/people/alice"


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    """Alice makes a user, and with it an attempt at a trail; the next day somebody opens a shell."""
    made = record(
        "made", eventSource="iam.amazonaws.com", eventName="CreateUser", requestParameters={"userName": "=bob"}
    )
    stop = record(
        "stop", eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", errorCode="AccessDenied",
        eventTime="2026-11-02T10:05:00Z", requestParameters={"name": "main"},
    )  # fmt: skip
    shell = record(
        "shell", eventSource="ecs.amazonaws.com", eventName="ExecuteCommand", eventTime="2026-11-04T10:00:00Z",
        sourceIPAddress="192.0.2.99",
    )  # fmt: skip
    write_trail(tmp_path / "logs" / "all.json", made, stop, shell)
    with auditkit.open(tmp_path / "logs") as opened:
        yield opened


RULES = ["iam.user_created", "logging.trail_switched_off", "ecs.execute_command"]


def text(audit: Audit, style: str, run: RuleRun | None = None) -> str:
    return in_style(run or audit.evaluate(rules=RULES), audit.catalogue.rules, audit.coverage(), audit.window, style)


def test_a_table_tells_cases_with_their_timeline_and_each_finding_once(audit: Audit) -> None:
    said = text(audit, "table")
    assert said.startswith("HIGH  user alice of account 111122223333: 2 findings in 5 minutes")
    timeline, alone = said.split("ALONE  what belongs to no case")
    assert timeline.index("iam.user_created") < timeline.index("logging.trail_switched_off")
    assert "ecs.execute_command" in alone
    assert said.count("CreateUser") == 1
    assert said.endswith("3 findings (1 case, 1 alone) from 3 rules; window: the whole of the logs")


def test_json_has_findings_flat_and_cases_by_their_ids(audit: Audit) -> None:
    told = json.loads(text(audit, "json"))
    [case] = told["cases"]
    by_id = {finding["id"]: finding for finding in told["findings"]}
    assert [by_id[found]["rule"] for found in case["findings"]] == ["iam.user_created", "logging.trail_switched_off"]
    assert by_id[case["findings"][0]]["evidence"] == ["made"]
    assert by_id[case["findings"][0]]["hands"] == ["person"]
    assert by_id[case["findings"][1]]["judgement"] == ["It was tried and not done: high instead of critical."]
    assert (told["suppressed"], told["allowlist"]) == ([], [])


def test_csv_has_no_formulas(audit: Audit) -> None:
    rows = list(csv.DictReader(io.StringIO(text(audit, "csv"))))
    assert len(rows) == 3
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def allow(folder: Path, expires: datetime) -> Path:
    path = folder / "allowlist.toml"
    path.write_text(
        f'[[allow]]\nrule = "iam.user_created"\nprincipal = "{ALICE}"\nreason = "She keeps the users."\n'
        f'owner = "ops"\nexpires = {expires:%Y-%m-%d}\n',
        encoding="utf-8",
    )
    return path


def test_what_is_suppressed_is_counted_and_listed(audit: Audit, tmp_path: Path) -> None:
    path = allow(tmp_path, datetime.now(UTC) + timedelta(days=99))
    run = audit.evaluate(rules=RULES, allowlist=path)
    assert "2 findings, 1 suppressed by the allowlist from 3 rules" in text(audit, "table", run)
    [suppressed] = json.loads(text(audit, "json", run))["suppressed"]
    assert suppressed["rule"] == "iam.user_created"
    assert suppressed["allowed_by"]["owner"] == "ops"


def test_an_expired_entry_speaks_up_and_suppresses_nothing(audit: Audit, tmp_path: Path) -> None:
    path = allow(tmp_path, datetime.now(UTC) - timedelta(days=2))
    run = audit.evaluate(rules=RULES, allowlist=path)
    [notice] = json.loads(text(audit, "json", run))["allowlist"]
    assert notice["kind"] == "expired"
    assert len(run.findings) == 3


def test_a_case_is_judged_whole_whatever_of_it_is_asked_for(audit: Audit) -> None:
    run = audit.evaluate(rules=RULES, severity="high")
    assert [len(case.findings) for case in run.told.cases] == [2]
    assert "iam.user_created" not in [finding.rule for finding in run.findings]
