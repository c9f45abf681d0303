"""From logs to the report: two real runs of the main notebook, side by side because each takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from auditkit import history, runs
from auditkit.errors import ReportError, SourceError, UnknownQueryError
from auditkit.model import SEVERITIES, Window
from auditkit.places import Places
from auditkit.report.run import RunRecord
from auditkit.resources import NOTEBOOKS
from auditkit.rules import RuleRun
from tests.conftest import DATA_SAMPLES, Command
from tests.records import record, write_trail

NOW = datetime(2026, 11, 4, 8, 30, tzinfo=UTC)
STS_TOKEN = "IQoJb3JpZ2lu"
SCRIPT = "<script>alert(1)</script>"
IN_PYTHON = """
import sys, auditkit
with auditkit.open(sys.argv[1]) as audit:
    made = audit.report(out=sys.argv[2], since="2026-11-01", services=["iam"])
print(made.path)
print(made.summary, made.is_empty, file=sys.stderr)
"""


@dataclass(frozen=True)
class Ran:
    """One process that made a report."""

    code: int
    out: str
    err: str

    @property
    def path(self) -> Path:
        return Path(self.out.strip())

    @property
    def html(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def record(self) -> Any:
        return json.loads(self.path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, rule_run: RuleRun) -> dict[str, Ran]:
    """The sample company and a hostile newcomer, after a run without the latter; an empty folder, by the Python face."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("reports", "empty", "evil", "in-samples", "in-empty"):
        (folder / name).mkdir()
    known = [{"id": finding.id, "rule": finding.rule, "severity": finding.severity} for finding in rule_run.findings]
    history.write(
        folder / "reports" / "audit-20260101T000000Z.json",
        notebook="audit.ipynb",
        findings=known,
        counts=dict.fromkeys(SEVERITIES, 0),
        window=Window(),
        now=NOW,
    )
    evil = {"userAgent": f"{SCRIPT}\x1b[2J", "requestParameters": {"userName": SCRIPT, "password": "correct horse"}}
    write_trail(
        folder / "evil" / "1.json", record("e1", eventSource="iam.amazonaws.com", eventName="CreateUser", **evil)
    )
    (folder / "evil" / "cut.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    logs = [str(DATA_SAMPLES), str(folder / "evil")]
    command = ["-m", "auditkit", "report", *logs, "--out", str(folder / "reports"), "--fail-on", "critical"]
    python = ["-c", IN_PYTHON, str(folder / "empty"), str(folder / "nothing")]
    started = {
        name: subprocess.Popen(
            [sys.executable, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder / f"in-{name}",
        )
        for name, words in (("samples", command), ("empty", python))
    }
    said = {name: process.communicate() for name, process in started.items()}
    return {name: Ran(started[name].returncode, *texts) for name, texts in said.items()}


def test_a_report_prints_its_path_and_sums_up_beside_it(ran: dict[str, Ran]) -> None:
    done = ran["samples"]
    assert done.code == 1  # --fail-on critical
    assert done.out == f"{done.path}\n"
    assert done.path.name.startswith("audit-20")
    quarantined, summary = done.err.splitlines()
    assert summary.startswith("4 critical, ")
    assert quarantined.startswith("quarantined: ")


def test_the_report_holds_every_finding_and_the_record_its_ids(ran: dict[str, Ran], rule_run: RuleRun) -> None:
    html, kept = ran["samples"].html, ran["samples"].record
    assert {finding.id for finding in rule_run.findings} < {finding["id"] for finding in kept["findings"]}
    assert kept["counts"]["critical"] == 4
    assert all(str(escape(finding.summary)) in html for finding in rule_run.findings)
    for heading in ("What is new", "Findings", "Activity by identity", "Network", "Coverage", "Provenance"):
        assert f">{heading}<" in html, heading


def test_a_second_report_tells_the_new_from_the_known(ran: dict[str, Ran], rule_run: RuleRun) -> None:
    known = {finding.id for finding in rule_run.findings}
    ids = [finding["id"] for finding in ran["samples"].record["findings"]]
    fresh = [finding["rule"] for finding in ran["samples"].record["findings"] if finding["id"] not in known]
    assert "iam.user_created" in fresh
    assert f"{len(fresh)} of {len(ids)} findings are new since the last run." in ran["samples"].html
    assert "no record of an earlier run" in ran["empty"].html


def test_a_report_is_the_same_file_wherever_it_was_made(ran: dict[str, Ran]) -> None:
    html = ran["samples"].html
    assert "auditkit-store-" not in html  # where the store lay for a while is nobody's business
    assert "Traceback" not in html


def test_no_secret_reaches_a_report(ran: dict[str, Ran]) -> None:
    html = ran["samples"].html
    assert "AssumeRole" in html
    assert STS_TOKEN not in html
    assert "correct horse" not in html


def test_hostile_names_are_text_in_the_report(ran: dict[str, Ran]) -> None:
    html = ran["samples"].html
    assert SCRIPT not in html
    assert str(escape(SCRIPT)) in html
    assert "\x1b" not in html


def test_what_could_not_be_read_is_said_on_the_report(ran: dict[str, Ran]) -> None:
    assert "1 file could not be read; what it holds is not in this report." in ran["samples"].html
    assert "cut.json.gz" in ran["samples"].html


def test_an_empty_folder_makes_a_report_that_says_there_was_nothing(ran: dict[str, Ran]) -> None:
    done = ran["empty"]
    assert "There was nothing to judge: no event and no flow record lies in the window." in done.html
    assert done.record["findings"] == []
    assert done.err.startswith("no findings; ")
    assert done.err.endswith(" True\n")


def test_the_python_face_passes_window_and_parameters(ran: dict[str, Ran]) -> None:
    done = ran["empty"]
    assert (done.code, done.record["window"]) == (0, {"start": "2026-11-01T00:00:00Z", "end": None})
    assert "No call to iam in the time from 2026-11-01 00:00:00 UTC on." in done.html


# --- without a kernel --------------------------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What a notebook would have been told."""
    values: dict[str, Any] = {}

    def instead(source: Path, parameters: dict[str, Any], out_file: Path, **_: Any) -> RunRecord:
        values.update(parameters)
        out_file.parent.mkdir(parents=True, exist_ok=True)
        return RunRecord(
            source.name, out_file, parameters, 1.0, 1_000_000, (), {"rules_failed": {"a.b": "no"}, "records": 0}
        )

    monkeypatch.setattr(runs, "run_report", instead)
    return values


def test_a_notebook_is_told_only_what_it_asks_for(told: dict[str, Any], tmp_path: Path) -> None:
    cell = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": "store: str = ''  # a store\nn: int = 1  # n",
    }
    nb = {
        "cells": [{**cell, "execution_count": None, "outputs": []}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    (tmp_path / "mine.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    made = runs.make_report(
        tmp_path / "mine.ipynb", tmp_path / "s", window=Window(NOW), out=tmp_path, now=NOW, parameters={"n": "3"}
    )
    assert told == {"store": str(tmp_path / "s"), "n": "3"}
    assert made.path == tmp_path / "mine-20261104T083000Z.html"
    assert (made.failed, made.is_empty, made.summary) == ({"a.b": "no"}, True, "no findings; 1.0 MB in 1 s")


def test_a_run_is_told_of_the_one_before(told: dict[str, Any], tmp_path: Path) -> None:
    audit = NOTEBOOKS / "audit.ipynb"
    runs.make_report(audit, tmp_path, window=Window(), out=tmp_path, now=datetime(2026, 11, 3, tzinfo=UTC))
    assert told["previous"] == ""
    runs.make_report(audit, tmp_path, window=Window(), out=tmp_path, now=NOW, logs=["logs/"])
    assert told["previous"] == str(tmp_path / "audit-20261103T000000Z.json")
    assert (told["logs"], told["since"]) == (["logs/"], "")


def test_the_command_line_says_that_there_was_nothing_to_judge(
    told: dict[str, Any], command: Command, samples: Path
) -> None:
    assert "There was nothing to judge" in command("report", samples).err


def test_a_report_whose_rules_failed_exits_3(told: dict[str, Any], command: Command, samples: Path) -> None:
    said = command("report", samples)
    assert said.code == 3
    assert "failed: a.b: no" in said.err


def test_a_notebook_that_stops_exits_3(command: Command, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> RunRecord:
        raise ReportError("audit.ipynb: cell [3] stopped with ValueError: no")

    monkeypatch.setattr(runs, "run_report", stopped)
    said = command("report", samples)
    assert (said.code, said.out, said.err) == (3, "", "Error: audit.ipynb: cell [3] stopped with ValueError: no\n")


def test_the_first_word_may_name_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    main = NOTEBOOKS / "audit.ipynb"
    (tmp_path / "logs").mkdir()
    (tmp_path / "mine.ipynb").touch()
    assert runs.split_notebook([]) == (main, ())
    assert runs.split_notebook(["logs", "more"]) == (main, ("logs", "more"))
    assert runs.split_notebook(["audit", "logs"]) == (main, ("logs",))
    assert runs.split_notebook(["mine.ipynb", "logs"]) == (Path("mine.ipynb"), ("logs",))
    assert runs.split_notebook(["s3://bucket/AWSLogs/"]) == (main, ("s3://bucket/AWSLogs/",))
    with pytest.raises(SourceError, match="neither a notebook"):
        runs.split_notebook(["audti", "logs"])


def test_a_notebook_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert runs.find_notebook("audit") == NOTEBOOKS / "audit.ipynb"
    with pytest.raises(UnknownQueryError, match="Did you mean 'audit'"):
        runs.find_notebook("audits")
    with pytest.raises(SourceError, match="There is no notebook at"):
        runs.find_notebook(tmp_path / "x.ipynb")


def test_a_notebook_is_told_where_the_names_of_addresses_are(
    told: dict[str, Any], command: Command, samples: Path, places: Places
) -> None:
    country, asn = places.geoip_files
    said = command("report", samples, "--networks", places.networks_file, "--geoip", country, "--geoip", asn)
    assert said.code == 3, said.err
    assert (told["networks"], told["geoip"]) == (places.networks_file, [country, asn])
    assert command("report", samples).code == 3
    assert (told["networks"], told["geoip"]) == ("", [])
