"""Aggregate rules over the events they count, brought in one scan, find what they find over all events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import auditkit
from auditkit.aggregate_rules import worth_counting
from auditkit.catalogue import Catalogue, Query
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.rules import evaluate
from auditkit.schema import TABLES
from tests.cases import cloudtrail_events

SAMPLES = Path(__file__).parents[1] / "data-samples"
HEADER = "-- title: t\n-- kind: aggregate\n-- severity: high\n-- why: a\n-- response: b\n-- false_positives: c\n-- blind_spots: d\n"
COUNTED = """
SELECT principal_arn, account_id, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS event_count,
    count_if(outcome <> 'ok') AS failed_count, array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(event_id ORDER BY event_time, event_id) AS evidence
FROM cloudtrail_events{alias}
WHERE {where}
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id
"""


def counting(tmp_path: Path, **wheres: str) -> list[Query]:
    folder = tmp_path / "rules" / "test"
    folder.mkdir(parents=True)
    for name, where in wheres.items():
        where, _, alias = where.partition(" AS ")
        sql = COUNTED.format(where=where, alias=f" AS {alias}" if alias else "")
        (folder / f"{name}.sql").write_text(HEADER + sql, encoding="utf-8")
    return list(Catalogue.load(tmp_path).rules)


def shared(queries: list[Query]) -> tuple[list[str], str]:
    narrow, sql = worth_counting(queries, {query.rule: query.bind({}) for query in queries})
    return [query.rule for query in narrow], sql


def test_rules_that_name_their_events_share_a_scan(tmp_path: Path) -> None:
    queries = counting(
        tmp_path, a="event_name = 'A'", b="event_source = 'b'", c="source_ip = 'x'", d="event_name = 'D' AS event"
    )
    names, sql = shared(queries)
    assert names == ["test.a", "test.b"]
    assert "event_name IN ('A') OR event_source = 'b'" in sql
    assert "'x'" not in sql


def test_what_no_rule_reads_is_not_brought(tmp_path: Path) -> None:
    _, sql = shared(counting(tmp_path, a="event_name = 'A'"))
    assert "CAST(NULL AS VARCHAR) AS response_elements" in sql
    assert "CAST(NULL AS VARCHAR) AS user_agent" not in sql  # of which the hand is worked out


def test_nothing_to_share_is_no_statement(tmp_path: Path) -> None:
    assert shared(counting(tmp_path, c="source_ip = 'x'")) == ([], "")


def test_most_rules_of_the_catalogue_share_the_scan() -> None:
    aggregates = [
        rule for rule in Catalogue.load().rules if rule.kind == "aggregate" and "flow_records" not in rule.reads
    ]
    names, _ = shared(aggregates)
    assert len(aggregates) - len(names) <= 6  # those about keys, tools and sessions look at every event


def test_they_find_the_same_as_over_all_events(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule.rule for rule in Catalogue.load().rules if rule.kind == "aggregate"]
    with auditkit.open(SAMPLES) as audit:
        together = evaluate(audit.engine, audit.catalogue, rules=rules)
        monkeypatch.setattr("auditkit.rules.WORTH_SHARING", 1_000)
        apart = evaluate(audit.engine, audit.catalogue, rules=rules)
    assert [finding.as_json() for finding in together.findings] == [finding.as_json() for finding in apart.findings]
    assert len(together.results) == len(apart.results) + 1
    assert together.findings


def test_a_rule_at_fault_among_them_is_told_and_stops_no_other(tmp_path: Path) -> None:
    wheres = {name: f"event_name = '{name.upper()}'" for name in "abc"}
    counting(tmp_path, **wheres, wrong="event_name = 'A' AND no_such_column = 1")
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events([{"event_name": "A"}, {"event_name": "B"}])})
    run = evaluate(engine, Catalogue.load(tmp_path))
    assert list(run.failed) == ["test.wrong"]
    assert run.ran == ("test.a", "test.b", "test.c")
    assert {finding.rule for finding in run.findings} == {"test.a", "test.b"}


def test_a_narrowed_engine_has_every_column_and_the_rows_of_the_statement() -> None:
    rows: list[dict[str, Any]] = [{"event_name": name, "event_id": name} for name in ("A", "B", "C")]
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events(rows)})
    columns = ", ".join(TABLES["cloudtrail_events"].names)
    sql = f"SELECT {columns} FROM cloudtrail_events WHERE event_name <> 'B'"
    narrowed, result = engine.narrowed("cloudtrail_events", sql)
    kept = narrowed.run("SELECT event_id, hand FROM cloudtrail_events ORDER BY event_id").table.to_pylist()
    assert kept == [{"event_id": "A", "hand": "unknown"}, {"event_id": "C", "hand": "unknown"}]
    assert result.table.num_rows == 2
    assert narrowed.run("SELECT count(*) AS n FROM flow_records").table.to_pylist() == [{"n": 0}]
