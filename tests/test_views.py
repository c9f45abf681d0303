"""A view is a SELECT that several questions read: a statement gets it in front."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from auditkit.engines import views
from auditkit.engines.dialect import parse, tables_read
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.headed import headed
from auditkit.errors import QueryError
from auditkit.resources import QUERIES
from auditkit.schema import TABLES
from tests.test_duckdb_engine import events

VIEW_FILES = sorted((QUERIES / "views").glob("*.sql"))
VIEWS = {
    "calls": "SELECT event_id AS id, event_name AS call FROM cloudtrail_events",
    "odd_calls": "SELECT id FROM calls WHERE call LIKE 'Odd%'",
    "flows": "WITH some AS (SELECT interface_id FROM flow_records) SELECT * FROM some",
}


def select(sql: str) -> exp.Query:
    tree = sqlglot.parse_one(sql, read="trino")
    assert isinstance(tree, exp.Query)
    return tree


@pytest.fixture(autouse=True)
def _views(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: views.View({"title": name}, select(sql)) for name, sql in VIEWS.items()}
    monkeypatch.setattr(views, "views", lambda: made)


def ctes(sql: str) -> list[str]:
    return [cte.alias for cte in parse(sql).ctes]


def test_a_view_stands_in_front_behind_those_that_it_reads() -> None:
    sql = "WITH few AS (SELECT id FROM odd_calls) SELECT * FROM few JOIN calls ON calls.id = few.id"
    assert ctes(sql) == ["calls", "odd_calls", "few"]


def test_a_view_that_is_not_read_does_not() -> None:
    assert ctes("SELECT * FROM flows") == ["flows"]
    assert ctes("SELECT 1 AS calls") == []


def test_a_statement_reads_the_tables_of_its_views() -> None:
    assert tables_read(parse("SELECT * FROM flows CROSS JOIN odd_calls")) == ("cloudtrail_events", "flow_records")


def test_a_name_of_the_statement_hides_the_view() -> None:
    sql = "WITH calls AS (SELECT 1 AS one) SELECT one FROM calls"
    assert ctes(sql) == ["calls"]
    assert tables_read(parse(sql)) == ()


def test_a_view_of_another_place_is_none() -> None:
    with pytest.raises(QueryError, match=r"elsewhere\.calls cannot be read"):
        tables_read(parse("SELECT * FROM elsewhere.calls"))


def test_no_view_is_called_like_a_table() -> None:
    assert not {path.stem for path in VIEW_FILES} & TABLES.keys()


@pytest.mark.parametrize("path", VIEW_FILES, ids=lambda path: path.stem)
def test_a_view_says_what_it_is(path: Path) -> None:
    header, _ = headed(path)
    assert header.keys() == {"title", "about"}
    assert all(isinstance(text, str) and text for text in header.values())


def test_an_engine_answers_of_a_view_and_shows_it() -> None:
    rows = events({"event_id": "e1", "event_name": "OddThing"}, {"event_id": "e2", "event_name": "Even"})
    result = DuckDBEngine({"cloudtrail_events": rows}).run("SELECT id FROM odd_calls")
    assert result.table.to_pylist() == [{"id": "e1"}]
    assert result.sql.startswith("WITH calls AS")
