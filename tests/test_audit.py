"""What an analyst holds: the verbs of the command line in Python, over one store."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path

import pandas as pd
import pytest

import auditkit
from auditkit import opening
from auditkit.audit import Audit
from auditkit.errors import ParameterError, QueryError, SourceError, StoreError, UnknownQueryError, WindowError
from auditkit.ingest import Reached, ingest
from auditkit.model import Finding
from auditkit.places import Places
from auditkit.rules import RuleRun
from auditkit.store import Store
from tests.records import record, write_trail

STS_TOKEN = "IQoJb3JpZ2lu"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two days with one event each."""
    write_trail(tmp_path / "logs" / "1.json", record("e1", eventTime="2026-11-02T10:00:00Z"))
    write_trail(tmp_path / "logs" / "2.json", record("e2", eventTime="2026-11-03T10:00:00Z"))
    return tmp_path / "logs"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary stores are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def events(audit: Audit, **window: str) -> list[str]:
    return list(audit.sql("SELECT event_id FROM cloudtrail_events ORDER BY event_id", **window)["event_id"])


# --- opening -----------------------------------------------------------------------------------------------------------


def test_the_package_gives_open_and_nothing_by_accident() -> None:
    assert (auditkit.open, auditkit.verify) == (opening.open, opening.verify)
    assert auditkit.Audit is Audit
    names = {"Audit", "AuditkitError", "Finding", "Result", "Window", "open", "verify"}
    assert set(auditkit.__all__) == names | {"AthenaSettings", "TrinoSettings"}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        auditkit.nothing  # noqa: B018


def test_a_temporary_store_goes_with_its_audit(logs: Path, temporary: Path) -> None:
    with auditkit.open(logs) as opened:
        assert events(opened) == ["e1", "e2"]
        assert opened.store.folder.is_dir()
    assert not opened.store.folder.exists()
    opened.close()  # twice is once


def test_opening_that_fails_leaves_nothing_behind(temporary: Path) -> None:
    with pytest.raises(SourceError, match="There is nothing at"):
        auditkit.open(temporary / "nowhere")
    assert list(temporary.iterdir()) == []


def test_a_store_of_ones_own_stays(logs: Path, tmp_path: Path) -> None:
    with auditkit.open(logs, store=tmp_path / "store") as opened:
        assert opened.ingested is not None
        assert opened.ingested.events == 2
    write_trail(logs / "3.json", record("e3"))
    with auditkit.open(str(logs), store=str(tmp_path / "store")) as opened:
        assert opened.ingested is not None
        assert (opened.ingested.files, opened.ingested.known_files) == (1, 2)
        assert events(opened) == ["e1", "e2", "e3"]


def test_a_folder_that_is_a_store_is_opened_as_one(samples: Path) -> None:
    with auditkit.open(samples) as opened:
        assert (opened.ingested, opened.logs, opened.store.folder) == (None, (), samples)
    assert samples.is_dir()


def test_nothing_to_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Name a folder or file of logs, or a store"):
        auditkit.open()
    with pytest.raises(SourceError, match="There is no store at"):
        auditkit.open(store=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_another_version_is_not_read(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    with pytest.raises(StoreError, match="is of version 0"):
        auditkit.open(store=tmp_path)


def test_progress_is_told(logs: Path) -> None:
    told: list[Reached] = []
    auditkit.open(logs, progress=told.append).close()
    assert [(now.files, now.of_files) for now in told] == [(0, 2), (2, 2)]


# --- the window --------------------------------------------------------------------------------------------------------


def test_each_verb_can_move_either_side_of_the_window(logs: Path) -> None:
    with auditkit.open(logs, since="2026-11-03") as opened:
        assert events(opened) == ["e2"]
        assert events(opened, since="2026-11-01") == ["e1", "e2"]
        assert events(opened, until="2026-11-03T10:00:00Z") == []
        assert events(opened, since="2026-11-01", until="2026-11-03") == ["e1"]
        assert str(opened.window.start) == "2026-11-03 00:00:00+00:00"


def test_an_age_counts_back_from_now(logs: Path) -> None:
    write_trail(logs / "now.json", record("now", eventTime=f"{pd.Timestamp.now('UTC'):%Y-%m-%dT%H:%M:%SZ}"))
    with auditkit.open(logs, since="1h") as opened:
        assert events(opened) == ["now"]


def test_a_window_that_makes_no_sense_is_refused(logs: Path, temporary: Path) -> None:
    with pytest.raises(WindowError):
        auditkit.open(logs, since="2026-11-03", until="2026-11-02")
    assert list(temporary.iterdir()) == []


# --- asking ------------------------------------------------------------------------------------------------------------


def test_query_takes_parameters_as_python_values(audit: Audit) -> None:
    frame = audit.query("activity/by_identity", services=["iam"], since="2026-11-03")
    assert set(frame["service"]) == {"iam"}
    assert str(frame["first_seen"].dtype).endswith("UTC]")
    assert frame["first_seen"].min() >= pd.Timestamp("2026-11-03", tz="UTC")


def test_what_is_asked_wrongly_is_refused(audit: Audit) -> None:
    with pytest.raises(UnknownQueryError):
        audit.query("activity/nothing")
    with pytest.raises(ParameterError):
        audit.query("activity/by_identity", service="iam")
    with pytest.raises(QueryError):
        audit.sql("DELETE FROM cloudtrail_events")


def test_values_from_logs_are_bound_and_never_become_sql(audit: Audit) -> None:
    assert audit.query("activity/events", principal="' OR 1=1 --").empty


def test_secrets_and_session_tokens_are_masked_in_every_frame(audit: Audit) -> None:
    frame = audit.sql("SELECT response_elements AS r FROM cloudtrail_events WHERE event_name LIKE 'AssumeRole%'")
    assert not frame.empty
    text = "".join(frame["r"].dropna())
    assert "***" in text
    assert STS_TOKEN not in text
    assert "accessKeyId" in text  # who holds a session is evidence, what it signs with is not


def test_findings_are_a_frame_worst_first(audit: Audit, rule_run: RuleRun) -> None:
    frame = audit.findings()
    assert list(frame["id"]) == [finding.id for finding in rule_run.findings]
    assert list(frame.columns) == list(Finding.__slots__)
    assert str(frame["first_seen"].dtype).endswith("UTC]")


def test_findings_can_be_asked_of_some_rules_and_from_some_severity(audit: Audit) -> None:
    names = ["iam.admin_policy_attached", "network.external_scan"]
    assert set(audit.findings(rules=names)["rule"]) == set(names)
    assert set(audit.findings(rules=names, severity="high")["rule"]) == {"iam.admin_policy_attached"}


def test_no_findings_are_a_frame_with_all_its_columns(audit: Audit) -> None:
    frame = audit.findings(rules=["iam.user_created"], until="2026-11-02T01:00:00Z")
    assert frame.empty
    assert list(frame.columns) == list(Finding.__slots__)
    assert str(frame["last_seen"].dtype).endswith("UTC]")


def test_evidence_is_the_events_that_prove_findings(audit: Audit, rule_run: RuleRun) -> None:
    bulk = next(finding for finding in rule_run.findings if finding.rule == "secretsmanager.bulk_secret_reads")
    assert len(bulk.evidence) > 3
    assert list(audit.evidence([bulk], each=3)["event_id"]) == list(bulk.evidence[:3])
    assert audit.evidence([]).empty


def test_what_was_asked_is_remembered_without_its_rows(samples: Path) -> None:
    with auditkit.open(samples) as opened:
        opened.sql("SELECT 1 AS one")
        opened.query("activity/timeline", services=["ecs"])
        opened.findings(rules=["iam.user_created"])
    assert [asked.name for asked in opened.asked[:2]] == ["sql", "activity/timeline"]
    assert "'ecs'" in opened.asked[1].sql
    assert opened.asked[1].rows > 1
    names = [asked.name for asked in opened.asked[2:]]
    assert names == ["is there anything in cloudtrail_events", "1 match rule in one scan"]


def test_a_store_that_grows_is_seen_when_opened_again(logs: Path, tmp_path: Path) -> None:
    with auditkit.open(logs, store=tmp_path / "store") as opened:
        assert len(events(opened)) == 2
        write_trail(logs / "3.json", record("e3"))
        ingest(Store(tmp_path / "store"), [logs])
        assert len(events(opened)) == 2
    with auditkit.open(store=tmp_path / "store") as opened:
        assert len(events(opened)) == 3


def test_the_verbs_of_the_command_line_are_methods() -> None:
    for verb in ("report", "findings", "query", "sql", "coverage"):
        assert {"since", "until"} <= inspect.signature(getattr(Audit, verb)).parameters.keys(), verb


# --- beside the questions ----------------------------------------------------------------------------------------------


def test_a_store_is_compacted_and_answers_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.ingest.BATCH_FILES", 1)
    for n in range(4):
        write_trail(tmp_path / "logs" / f"{n}.json", record(f"e{n}"))
    with auditkit.open(tmp_path / "logs", store=tmp_path / "store") as opened:
        assert events(opened) == ["e0", "e1", "e2", "e3"]
        assert opened.compact().parts_after == 1
        assert events(opened) == ["e0", "e1", "e2", "e3"]


def test_logs_are_verified_again_and_again(logs: Path) -> None:
    """The function has the name of a command and must not be hidden by a module of the package."""
    for _ in range(2):
        assert auditkit.verify(logs).sentence == "There are no digests here: nothing was verified."


def test_an_audit_knows_what_addresses_are_called(logs: Path, places: Places) -> None:
    country, asn = places.geoip_files
    for files in (country, [country], iter([country])):
        with auditkit.open(logs, networks=places.networks_file, geoip=files) as named:
            assert named.places.of("198.51.100.7").label == "NL"
            assert named.places.of("192.0.2.10").label == "office (Berlin)"
    with auditkit.open(logs, geoip=[asn]) as owned:
        assert owned.places.of("198.51.100.7").label == "Example Hosting AS64500"
        assert owned.places.of("192.0.2.10").label == "public"
    with auditkit.open(logs) as plain:
        assert not plain.places
