"""Is the evidence complete? The books of a store, and what the logs say they lack."""

from __future__ import annotations

import json
from pathlib import Path

from auditkit import opening
from auditkit.audit import Audit
from auditkit.output import as_json
from tests.records import ACCOUNT, START, flow_line, record, trail, write_flows, write_trail


def test_the_sample_company_is_read_whole(audit: Audit) -> None:
    facts = audit.coverage()
    assert facts.balanced
    assert facts.records == {
        "seen": 13_385,
        "stored": 13_378,
        "duplicates": 7,
        "quarantined": 0,
        "outside": 0,
        "set_apart": 0,
    }
    assert facts.tables["cloudtrail_events"]["accounts"] == [ACCOUNT, "444455556666"]
    assert facts.tables["flow_records"]["regions"] == ["eu-central-1"]
    assert facts.blind_s == 3_600  # the hour of SKIPDATA at the NAT gateway
    assert all(entry["reason"].startswith("no log") for entry in facts.not_logs)


def test_every_file_is_in_one_state_and_every_trouble_has_its_reason(tmp_path: Path) -> None:
    write_trail(tmp_path / "good.json", record("e1"), record("e1"))
    (tmp_path / "half.json").write_bytes(trail(record("e2"), "no record"))  # type: ignore[arg-type]
    (tmp_path / "cut.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    (tmp_path / "notes.txt").write_text("remember the milk")
    with opening.open(tmp_path) as small:
        facts = small.coverage()
    assert sum(facts.files.values()) == 4
    assert (facts.files["stored"], facts.files["partial"]) == (1, 1)
    assert facts.records == {"seen": 4, "stored": 2, "duplicates": 1, "quarantined": 1, "outside": 0, "set_apart": 0}
    assert facts.balanced
    lost = {Path(entry["file"]).name: entry["records_lost"] for entry in facts.quarantined}
    assert lost["half.json"] == 1
    assert "cut.json.gz" in lost
    assert all(entry["reason"] for entry in (*facts.quarantined, *facts.not_logs))


def test_the_window_cuts_what_is_counted_and_not_the_books(tmp_path: Path) -> None:
    write_trail(tmp_path / "trail.json", record("e1"), record("e2", eventTime="2026-11-05T00:00:00Z"))
    with opening.open(tmp_path) as small:
        facts = small.coverage(since="2026-11-04", until="2026-11-06")
    assert facts.window == {"start": "2026-11-04T00:00:00Z", "end": "2026-11-06T00:00:00Z"}
    assert facts.tables["cloudtrail_events"]["rows"] == 1
    assert facts.records["stored"] == 2


def test_blind_time_is_what_skipdata_spans(tmp_path: Path) -> None:
    blind = flow_line().replace(" OK", " SKIPDATA")
    write_flows(tmp_path / "flows.log", flow_line(), blind, flow_line(start=START + 600).replace(" OK", " SKIPDATA"))
    with opening.open(tmp_path) as small:
        facts = small.coverage()
    assert facts.blind_s == 120
    assert facts.blind[0]["interval_count"] == 2


def test_nothing_read_is_nothing_covered(tmp_path: Path) -> None:
    with opening.open(tmp_path) as small:
        facts = small.coverage()
    assert (facts.tables, facts.cells, facts.blind_s, facts.balanced) == ({}, [], 0.0, True)
    assert set(facts.files.values()) == {0}


def test_coverage_is_plain_json_with_times_in_utc(audit: Audit) -> None:
    read = json.loads(as_json(audit.coverage().as_json()))
    assert read["tables"]["cloudtrail_events"]["first"] == "2026-11-02T00:07:00Z"
    assert read["cells"][0]["period_start"] == "2026-11-02T00:00:00Z"
