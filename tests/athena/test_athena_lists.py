"""Lists on their way out of Athena: the items they had, in rows of the order that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from auditkit.engines.athena.engine import AthenaEngine
from auditkit.engines.athena.lists import outputs, with_lists_as_json
from auditkit.engines.dialect import parse
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.errors import QueryError
from auditkit.model import Window
from tests.athena.conftest import Lab
from tests.cases import cloudtrail_events

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
EVENTS = [
    {"event_name": name, "principal_arn": who, "source_ip": ip}
    for who, name, ip in [
        ("b", "x", "1.1.1.1"),
        ("a", "[a, b]", "2.2.2.2"),
        ("a", "q\"uo'te", "-"),
        ("c", "a, b", "1.1.1.1"),
        ("c", "", "9.9.9.9"),
        ("d", "null", "-"),
        ("d", "é\n\\€😀", "1.1.1.1"),
        (None, "NULL", "-"),
    ]
]


def sent(sql: str) -> str:
    return with_lists_as_json(parse(sql), outputs(sql, {})).sql("trino")


def answers(athena: AthenaEngine, lab: Lab, sql: str) -> list[dict[str, Any]]:
    """What Athena gives, which is what DuckDB gives."""
    lab.hold("cloudtrail_events", cloudtrail_events(EVENTS))
    ours = athena.run(sql, {}, window=NOVEMBER).table
    theirs = DuckDBEngine({"cloudtrail_events": cloudtrail_events(EVENTS)}).run(sql, window=NOVEMBER).table
    assert ours.schema == theirs.schema
    assert ours.to_pylist() == theirs.to_pylist()
    return ours.to_pylist()


BY_WHO = "principal_arn, array_agg(event_name ORDER BY event_id) AS names FROM cloudtrail_events GROUP BY principal_arn"


@pytest.mark.parametrize(
    "order",
    [
        "names",
        "names DESC, principal_arn",
        "2",
        "2 DESC",
        "cardinality(names) DESC, principal_arn",
        "element_at(names, 1) DESC, 1",
        "principal_arn DESC",
        "count(*), max(event_id)",
        "NAMES",
    ],
)
def test_rows_keep_their_order(athena: AthenaEngine, lab: Lab, order: str) -> None:
    found = answers(athena, lab, f"SELECT {BY_WHO} ORDER BY {order}")
    assert {tuple(row["names"]) for row in found} == {
        ("x",),
        ("[a, b]", "q\"uo'te"),
        ("a, b", ""),
        ("null", "é\n\\€😀"),
        ("NULL",),
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ARRAY[event_name, source_ip] AS pair FROM cloudtrail_events ORDER BY event_id",
        "SELECT ARRAY[event_name] AS event_name FROM cloudtrail_events ORDER BY event_name, event_id",
        "SELECT event_name, ARRAY[source_ip] AS ips, count(*) AS n FROM cloudtrail_events GROUP BY 1, 2 ORDER BY 2, 1",
        "SELECT ARRAY[source_ip] AS ips, count(*) AS n FROM cloudtrail_events GROUP BY ARRAY[source_ip] ORDER BY 1 LIMIT 2",
        "SELECT DISTINCT ARRAY[source_ip] AS ips, principal_arn FROM cloudtrail_events ORDER BY principal_arn, ips",
        "SELECT DISTINCT ARRAY[source_ip] AS ips, lower(principal_arn) FROM cloudtrail_events ORDER BY lower(principal_arn), 1",
        "SELECT ARRAY['b'] AS x UNION ALL SELECT ARRAY['a'] UNION ALL SELECT ARRAY['c', NULL] ORDER BY x DESC",
        "SELECT ARRAY['b'] AS x, 1 AS n UNION SELECT ARRAY['a'], 2 ORDER BY 2 DESC LIMIT 1",
        "(SELECT ARRAY['b'] AS x)",
        "WITH t AS (SELECT event_id, ARRAY[event_name] AS names FROM cloudtrail_events) SELECT * FROM t ORDER BY event_id DESC OFFSET 1 LIMIT 3",
        "WITH t AS (SELECT event_id, ARRAY[event_name] AS names FROM cloudtrail_events) SELECT t.*, event_id AS same FROM t ORDER BY same",
        "SELECT * FROM (SELECT ARRAY[event_name] AS names, event_id FROM cloudtrail_events) ORDER BY event_id",
        "SELECT array_agg(event_id ORDER BY event_id) FILTER (WHERE source_ip = '-') AS ids FROM cloudtrail_events",
        "SELECT array_agg(DISTINCT source_ip ORDER BY source_ip) AS ips FROM cloudtrail_events",
        "SELECT array_sort(array_distinct(flatten(array_agg(ARRAY[event_name, source_ip])))) AS all_of FROM cloudtrail_events",
        "SELECT transform(ARRAY[1, 2], n -> n * 2) AS doubled, filter(ARRAY['a', 'b'], x -> x = 'a') AS some",
        "SELECT split('a/b', '/') AS parts, regexp_extract_all('a1b2', '[0-9]') AS digits, slice(ARRAY[1, 2, 3], 2, 2) AS two",
        "SELECT array_sort(array_union(ARRAY['a'], ARRAY['b'])) AS u, TRY_CAST(json_parse('[\"a\"]') AS ARRAY(VARCHAR)) AS j",
        "SELECT max_by(ARRAY[event_name], event_id) AS last FROM cloudtrail_events",
        "SELECT array_agg(error_code) AS codes, array_agg(mfa) AS marks FROM cloudtrail_events",
    ],
)  # fmt: skip
def test_lists_of_every_kind_of_statement(athena: AthenaEngine, lab: Lab, sql: str) -> None:
    assert answers(athena, lab, sql)


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("ARRAY[1, NULL, 2]", [1, None, 2]),
        ("ARRAY[CAST(9007199254740993 AS BIGINT)]", [2**53 + 1]),
        ("ARRAY[0.1e0, 1e300, CAST('Infinity' AS DOUBLE), NULL]", [0.1, 1e300, float("inf"), None]),
        ("ARRAY[1e0]", [1.0]),
        ("ARRAY[TRUE, FALSE]", [True, False]),
        ("ARRAY[DATE '2026-11-02']", [date(2026, 11, 2)]),
        ("ARRAY[TIMESTAMP '2026-11-02 09:00:00.001']", [datetime(2026, 11, 2, 9, 0, 0, 1000)]),
        ("ARRAY[ARRAY['a'], NULL, ARRAY['b', NULL]]", [["a"], None, ["b", None]]),
        ('CAST(json_parse(\'[{"a":[1,2]},"b"]\') AS ARRAY(JSON))', ['{"a":[1,2]}', '"b"']),
        ("CAST(NULL AS ARRAY(VARCHAR))", None),
        ("CAST(ARRAY[] AS ARRAY(VARCHAR))", []),
    ],
)
def test_items_of_every_type(athena: AthenaEngine, lab: Lab, written: str, items: Any) -> None:
    (row,) = athena.run(f"SELECT {written} AS x", {}, window=NOVEMBER).table.to_pylist()
    assert row["x"] == items
    if items:
        assert [type(item) for item in row["x"]] == [type(item) for item in items]


def test_a_statement_without_lists_is_sent_as_it_is() -> None:
    sql = "SELECT event_id, count(*) AS n FROM cloudtrail_events GROUP BY 1 ORDER BY n"
    assert sent(sql) == parse(sql).sql("trino")


def test_an_order_by_a_column_that_the_list_hides_still_means_the_list() -> None:
    text = sent("SELECT ARRAY[event_name] AS event_name FROM cloudtrail_events ORDER BY event_name")
    assert text.endswith("ORDER BY ARRAY[event_name]")


def test_an_order_by_inside_a_subquery_is_its_own() -> None:
    text = sent(
        "SELECT ARRAY[event_id] AS x FROM cloudtrail_events ORDER BY (SELECT max(x) FROM (SELECT event_name AS x FROM cloudtrail_events))"
    )
    assert "MAX(x)" in text


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT array_agg(unheard_of(event_id)) AS x FROM cloudtrail_events", "'x' is a list.*CAST"),
        ("SELECT ARRAY[NULL] AS x", "'x' is a list.*CAST"),
        ("SELECT DISTINCT ARRAY[event_id] AS x FROM cloudtrail_events ORDER BY event_name", "ORDER BY event_name is no"),
        ("SELECT *, ARRAY[1], lower('A') FROM (SELECT 1 AS a)", "a name with AS"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(athena: AthenaEngine, lab: Lab, sql: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        athena.run(sql, {}, window=NOVEMBER)
    assert lab.athena.sent == []


def test_a_list_that_nobody_foresaw_is_refused_with_what_to_write(athena: AthenaEngine, lab: Lab) -> None:
    """Its items could not be told apart."""
    with pytest.raises(QueryError, match=r"'x' is a list.*CAST\(… AS ARRAY\(VARCHAR\)\) AS x"):
        athena.run("SELECT map_keys(MAP(ARRAY['k'], ARRAY['v'])) AS x", {}, window=NOVEMBER)
    assert len(lab.athena.sent) == 1
