"""The sections of a report, as blocks: each says plainly what was found, what was searched, and what was not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditkit import opening, sections
from auditkit.audit import Audit
from auditkit.evidence import Coverage
from auditkit.ingest import ingest
from auditkit.model import Window, at_least
from auditkit.places import Places
from auditkit.report.block import Block
from auditkit.rules import RuleRun
from auditkit.store import Store
from tests.records import flow_line, record, write_flows, write_trail
from tests.trails import at, write_digest, write_flow_hour, write_hour


@pytest.fixture(scope="module")
def facts(audit: Audit) -> Coverage:
    return audit.coverage()


def only(run: RuleRun, *severities: str) -> RuleRun:
    return replace(run, findings=[finding for finding in run.findings if finding.severity in severities])


def sentence(audit: Audit, run: RuleRun, facts: Coverage) -> str:
    return str(sections.verdict(audit, run, facts)[0].data["sentence"])


def titles(shown: list[Block]) -> list[Any]:
    return [block.data.get("title") for block in shown if block.kind in ("table", "chart")]


def test_the_verdict_is_the_worst_finding_in_one_sentence(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    said = sentence(audit, rule_run, facts)
    severe = sum(1 for finding in rule_run.findings if finding.severity == "high")
    assert said == f"4 critical and {severe} high findings; the worst: {rule_run.findings[0].summary}"
    assert sections.verdict(audit, rule_run, facts)[0].data["severity"] == "critical"


def test_one_severe_finding_is_told_in_the_singular(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    run = replace(rule_run, findings=rule_run.findings[:1])
    assert sentence(audit, run, facts) == f"1 critical finding: {rule_run.findings[0].summary}"


def test_mild_findings_are_counted_and_called_mild(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    run = only(rule_run, "medium", "low")
    assert sentence(audit, run, facts) == f"{len(run.findings)} findings, none of them high or critical."


def test_no_finding_says_what_was_searched(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    said = sentence(audit, only(rule_run), facts)
    assert said == "No rule fired on 2,192 events and 11,186 flow records of 2 accounts."


def test_rules_that_did_not_run_are_part_of_the_verdict(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    run = replace(rule_run, ran=rule_run.ran[2:], failed={"a.b": "why"}, skipped={"c.d": "nothing to read"})
    assert sections.verdict(audit, run, facts)[0].data["detail"].endswith("; 2 did not run.")


def test_an_empty_window_is_not_called_clean(audit: Audit) -> None:
    with opening.open(store=audit.store.folder, since="2027-01-01") as later:
        said = sections.verdict(later, later.evaluate(), later.coverage())[0]
        assert said.data["sentence"].startswith("There was nothing to judge")
        assert "holding 13,385 records" in said.data["detail"]
        assert said.data["severity"] == "info"  # None would be drawn as good news
        assert "nothing can be said about rejects" in sections.network(later)[0].text
        assert "No call to ecs" in json.dumps([block.data for block in sections.activity(later, ["ecs"])])


def test_what_is_new_is_told_apart_from_what_is_known(rule_run: RuleRun) -> None:
    ids = [finding.id for finding in rule_run.findings]
    first, known, some = (sections.new(rule_run, earlier) for earlier in (None, set(ids), {*ids[2:], "gone"}))
    assert "no record of an earlier run" in first[0].text
    assert known[0].text.startswith("Nothing is new since the last run. A finding is the same when")
    assert len(known) == 1
    assert some[0].text.startswith(f"2 of {len(ids)} findings are new since the last run. 1 that it found is gone.")
    assert some[1].data["total"] == 2


def test_cards_say_whether_they_are_new_and_what_proves_them(audit: Audit, rule_run: RuleRun) -> None:
    known = {finding.id for finding in rule_run.findings[1:]}
    cards = sections.findings(audit, rule_run, known)[-1].data["findings"]
    assert [card["new"] for card in cards] == [True] + [False] * len(known)
    assert cards[0]["evidence"]["rows"]
    assert {card["new"] for card in sections.findings(audit, rule_run)[-1].data["findings"]} == {None}


def test_no_findings_need_no_chart(audit: Audit, rule_run: RuleRun) -> None:
    shown = sections.findings(audit, only(rule_run))
    assert [block.kind for block in shown] == ["findings"]
    assert "No rule fired in the whole of the logs." in shown[0].text


def test_activity_and_network_show_sql_with_every_table(audit: Audit) -> None:
    shown = [*sections.activity(audit, ["ecs", "iam"]), *sections.network(audit)]
    assert len(set(titles(shown))) == len(shown)
    assert all("FROM" in json.dumps(block.data) for block in shown)
    assert all(block.data.get("total", 1) > 0 for block in shown)


def columns(shown: list[Block]) -> dict[str, list[str]]:
    tables = [(block.data, block.data.get("table") if block.kind == "chart" else block.data) for block in shown]
    return {data["title"]: [column["name"] for column in table["columns"]] for data, table in tables if table}


def test_addresses_of_a_report_have_their_places_beside_them(audit: Audit, places: Places) -> None:
    placed = replace(audit, places=places)
    plain = columns([*sections.activity(audit, ["ecs", "iam"]), *sections.network(audit)])
    named = columns([*sections.activity(placed, ["ecs", "iam"]), *sections.network(placed)])
    added = {title: [name for name in named[title] if name not in plain[title]] for title in plain}
    assert {title: names for title, names in added.items() if names} == {
        "Who did what": ["place"],
        "Who read which secret": ["place"],
        "Rejects that belong to events": ["place"],
        "Rejects by source": ["place"],
        "Rejects by interface and peer": ["source_place", "destination_place"],
    }
    told = json.dumps([block.data for block in sections.network(placed)])
    assert "NL, Example Hosting AS64500" in told


def test_coverage_names_what_the_report_cannot_see(tmp_path: Path) -> None:
    write_trail(tmp_path / "one" / "trail.json", record("e1"))
    (tmp_path / "one" / "cut.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    with opening.open(tmp_path / "one") as small:
        run = small.evaluate(rules=["network.external_scan", "iam.user_created"])
        shown = sections.coverage(small.coverage(), run)
    data = shown[0].data
    assert data["cannot_see"][0] == "Network traffic: no flow records were among the sources."
    assert "1 file could not be read; what it holds is not in this report." in data["problems"]
    assert data["quarantined"]["rows"][0][0].endswith("cut.json.gz")
    assert set(data["unchecked"]) == set(run.skipped) != set()
    assert shown[-1].data["facts"] == {"rules_failed": {}, "records": 1}


def test_rules_without_a_baseline_are_named_and_raise_no_alarm(tmp_path: Path) -> None:
    write_trail(tmp_path / "logs" / "t.json", record())
    with opening.open(tmp_path / "logs") as small:
        run = small.evaluate(rules=["iam.first_change", "iam.user_created"])
        data = sections.coverage(small.coverage(), run)[0].data
    assert list(run.skipped) == ["iam.first_change"]
    assert data["unchecked"] == {}
    [said] = [text for text in data["cannot_see"] if "--baseline" in text]
    assert said.startswith("What is new: 1 rule did not run, with no baseline to compare with")


def test_paths_in_the_coverage_are_shortened_to_what_tells_files_apart(tmp_path: Path) -> None:
    for name in ("a/x.json", "b/x.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with opening.open(tmp_path) as small:
        rows = sections.coverage(small.coverage(), RuleRun())[0].data["quarantined"]["rows"]
    assert [row[0] for row in rows] == ["a/x.json", "b/x.json"]


def test_a_window_that_left_records_out_still_balances_its_books(tmp_path: Path) -> None:
    write_flows(tmp_path / "logs" / "flows.log", flow_line(), flow_line(start=1))
    window = Window.parse("2026-01-01", None, now=datetime.now(UTC))
    ingest(Store(tmp_path / "s", create=True), [tmp_path / "logs"], window=window)
    with opening.open(store=tmp_path / "s") as small:
        facts = small.coverage()
        assert (facts.records["outside"], facts.balanced) == (1, True)
        assert not [p for p in sections.coverage(facts, RuleRun())[0].data["problems"] if "books" in p]


def test_provenance_lists_every_statement_and_no_empty_parameter(audit: Audit) -> None:
    with opening.open(store=audit.store.folder) as fresh:
        fresh.sql("SELECT 1 AS one")
        fresh.query("activity/timeline")
        data = sections.provenance(fresh, {"logs": ["logs"], "since": "", "severity": "info"})[0].data
    assert [query["name"] for query in data["queries"]] == ["sql", "activity/timeline"]
    assert [name for name, _ in data["parameters"]] == ["logs", "severity"]


def test_only_high_and_critical_wake_someone() -> None:
    assert at_least("high", sections.WORTH_WAKING)
    assert not at_least("medium", sections.WORTH_WAKING)


def test_only_what_is_known_to_be_gone_raises_an_alarm(tmp_path: Path) -> None:
    for hour in (8, 10):
        write_flow_hour(tmp_path, hour)  # of hour 9 nothing is known
    keys = [write_hour(tmp_path, hour) for hour in (8, 9, 10)]
    with opening.open(tmp_path) as small:
        data = sections.coverage(small.coverage(), RuleRun())[0].data
    assert (data["gaps"], data["problems"]) == (None, [])
    assert data["cannot_see"][0] == "1 hour in 1 account and region: nothing shows whether logs were delivered."
    for hour in (7, 8, 9, 10, 11):
        write_digest(tmp_path, hour, keys[hour - 8 : hour - 7] if hour > 7 else [])
    (tmp_path / keys[1]).unlink()
    with opening.open(tmp_path) as small:
        data = sections.coverage(small.coverage(since=at(8), until=at(11)), RuleRun())[0].data
    assert data["problems"] == ["1 gap in the logs: hours whose files are gone, or in which logging was off."]
    assert data["gaps"]["rows"][0][-1] == "1 file that a digest lists is not among those read"


def test_the_hours_of_the_sample_company_are_drawn_and_have_no_false_gap(audit: Audit, facts: Coverage) -> None:
    shown = sections.coverage(facts, RuleRun())
    assert shown[0].data["gaps"] is None
    assert shown[1].data["about"] == "239 of 240 hours of accounts and regions are covered; 1 blind."
    assert shown[1].data["table"]["total"] == 5
