"""DuckDB over parts and tables: the window, what it may touch, what comes back, and what it says when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditkit.engines import ALWAYS, Engine
from auditkit.engines.dialect import prepare
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.duckdb_sql import duckdb_sql
from auditkit.engines.sources import StoreSources
from auditkit.errors import QueryError, StoreError
from auditkit.model import Parameter, Window
from auditkit.schema import CLOUDTRAIL_EVENTS, FLOW_RECORDS, TABLES
from tests.cases import cloudtrail_events

NIGHT = datetime(2026, 12, 31, 23, 59, 59)


def events(*rows: Mapping[str, Any]) -> pa.Table:
    """Events with what is not given left NULL; the day follows from the time."""
    full = [dict.fromkeys(CLOUDTRAIL_EVENTS.names) | {"event_time": NIGHT} | row for row in rows]
    for row in full:
        row["event_date"] = row["event_time"].date()
    return pa.Table.from_pylist(full, schema=CLOUDTRAIL_EVENTS.arrow)


def parts(folder: Path, table: pa.Table) -> list[Path]:
    """*table* as a store would hold it: one part a day."""
    paths = []
    for day in sorted(set(table["event_date"].to_pylist())):
        rows = table.filter(pa.compute.equal(table["event_date"], day)).drop_columns(["event_date"])
        path = folder / f"event_date={day}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(rows, path)
        paths.append(path)
    return paths


def over(*rows: Mapping[str, Any]) -> DuckDBEngine:
    return DuckDBEngine({"cloudtrail_events": events(*rows)})


def ids(engine: DuckDBEngine, window: Window) -> list[str]:
    return engine.run("SELECT event_id FROM cloudtrail_events ORDER BY event_id", window=window).table[0].to_pylist()


def test_it_is_an_engine() -> None:
    engine: Engine = DuckDBEngine({})
    assert engine.name == "duckdb"


def test_a_table_without_parts_is_empty_and_has_every_column() -> None:
    engine = DuckDBEngine({"cloudtrail_events": []})
    for name, table in TABLES.items():
        result = engine.run(f"SELECT * FROM {name}")
        derived = [column.name for column in table.derived]
        assert (result.table.num_rows, result.table.column_names) == (0, table.names + derived)


@pytest.mark.parametrize("stored", [True, False], ids=["parts", "arrow"])
def test_an_event_at_the_start_is_in_and_one_at_the_end_is_out(tmp_path: Path, stored: bool) -> None:
    start, end = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 1, tzinfo=UTC)
    table = events(
        {"event_id": "before", "event_time": datetime(2026, 12, 31, 22, 59, 59, 999999)},
        {"event_id": "at start", "event_time": datetime(2026, 12, 31, 23)},
        {"event_id": "after midnight", "event_time": datetime(2027, 1, 1, 0, 30)},
        {"event_id": "just inside", "event_time": datetime(2027, 1, 1, 0, 59, 59, 999999)},
        {"event_id": "at end", "event_time": datetime(2027, 1, 1, 1)},
        {"event_id": "next day", "event_time": datetime(2027, 1, 2)},
    )
    engine = DuckDBEngine({"cloudtrail_events": parts(tmp_path, table) if stored else table})
    assert ids(engine, Window(start, end)) == ["after midnight", "at start", "just inside"]
    assert ids(engine, Window(start, None)) == ["after midnight", "at end", "at start", "just inside", "next day"]
    assert ids(engine, Window(None, start)) == ["before"]
    assert len(ids(engine, Window())) == 6


@pytest.mark.parametrize("microsecond", [0, 1])
def test_a_window_ending_at_or_just_after_midnight_keeps_the_right_events(microsecond: int) -> None:
    midnight = datetime(2027, 1, 1)
    engine = over({"event_id": "last"}, {"event_id": "first", "event_time": midnight})
    end = midnight.replace(tzinfo=UTC, microsecond=microsecond)
    assert ids(engine, Window(None, end)) == (["first", "last"] if microsecond else ["last"])


def test_the_window_of_flow_records_is_on_their_start() -> None:
    rows = [
        dict.fromkeys(FLOW_RECORDS.names)
        | {
            "interface_id": name,
            "start_time": start,
            "end_time": start + timedelta(hours=1),
            "event_date": start.date(),
        }
        for name, start in [("early", datetime(2026, 11, 1, 9, 59)), ("late", datetime(2026, 11, 1, 10))]
    ]
    engine = DuckDBEngine({"flow_records": pa.Table.from_pylist(rows, schema=FLOW_RECORDS.arrow)})
    window = Window(datetime(2026, 11, 1, 10, tzinfo=UTC))
    assert engine.run("SELECT interface_id FROM flow_records", window=window).table[0].to_pylist() == ["late"]


def test_days_outside_the_window_are_not_opened(tmp_path: Path) -> None:
    table = events({"event_id": "a"}, {"event_id": "b", "event_time": datetime(2027, 1, 5)})
    first, second = parts(tmp_path, table)
    engine = DuckDBEngine({"cloudtrail_events": [first, second]})
    second.write_bytes(b"no longer parquet")
    assert ids(engine, Window(None, datetime(2027, 1, 5, tzinfo=UTC))) == ["a"]
    with pytest.raises(QueryError, match="DuckDB stopped"):
        ids(engine, Window())


def test_a_part_that_goes_away_later_is_told_apart_from_a_refusal(tmp_path: Path) -> None:
    first, second = parts(tmp_path, events({"event_id": "a"}, {"event_id": "b", "event_time": datetime(2027, 1, 5)}))
    engine = DuckDBEngine({"cloudtrail_events": [first, second]})
    second.unlink()
    with pytest.raises(QueryError, match=r"2027-01-05/part-0.parquet is no longer there.*Open the store again"):
        ids(engine, Window())


def test_parts_are_found_from_a_relative_path_with_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = parts(Path("team=x/a 'quoted' [folder]*"), events({"event_id": "a"}))
    engine = DuckDBEngine({"cloudtrail_events": paths})
    monkeypatch.chdir("/")
    assert ids(engine, Window()) == ["a"]
    assert engine.run("SELECT event_date FROM cloudtrail_events").table[0].to_pylist() == [date(2026, 12, 31)]


def test_a_part_that_is_gone_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.parquet"):
        DuckDBEngine({"cloudtrail_events": [tmp_path / "gone.parquet"]})
    (tmp_path / "broken.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(StoreError, match=r"broken\.parquet"):
        DuckDBEngine({"cloudtrail_events": [tmp_path / "broken.parquet"]})


# Locks: the checks of the statement come first, so the connection is asked directly


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{other}')",
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM '{other}'",
        "COPY (SELECT 1) TO '{other}.copy'",
        "ATTACH '{other}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET allowed_paths = ['{other}']",
        "SELECT * FROM caller_variable",
    ],
)
def test_the_connection_itself_is_locked(tmp_path: Path, sql: str) -> None:
    caller_variable = pa.table({"secret": [1]})
    other = tmp_path / "other.parquet"
    pq.write_table(caller_variable, other)
    engine = DuckDBEngine({"cloudtrail_events": parts(tmp_path, events({"event_id": "a"}))})
    with pytest.raises(Exception, match=r"disabled|locked|does not exist|Cannot access"):
        engine._connection.execute(sql.format(other=other)).fetchall()


def test_spilled_rows_leave_no_folder_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    engine = DuckDBEngine({})
    engine.run("SELECT 1 AS one")
    assert [path.stat().st_mode & 0o77 for path in tmp_path.iterdir()] == [0]
    del engine
    assert list(tmp_path.iterdir()) == []


# Results


def test_results_are_of_plain_types() -> None:
    sql = """
    SELECT
        count(*) AS n, sum(1) AS s, count_if(mfa) AS c, avg(1) AS a, max(event_id) AS t, bool_or(mfa) AS b,
        max(event_time) AS m, max(event_date) AS d, array_agg(event_id ORDER BY event_id) AS l, NULL AS nothing,
        1.5 * 2 AS decimal, max(json_extract(extra, '$.a')) AS j, array_agg(1 ORDER BY event_id) AS i,
        max(TRY(from_iso8601_timestamp(extra))) AS z
    FROM cloudtrail_events
    """
    schema = over({"event_id": "a"}).run(sql).table.schema
    assert {field.name: str(field.type) for field in schema} == {
        "n": "int64",
        "s": "int64",
        "c": "int64",
        "a": "double",
        "t": "string",
        "b": "bool",
        "m": "timestamp[us]",
        "d": "date32[day]",
        "l": "list<item: string>",
        "nothing": "string",
        "decimal": "double",
        "j": "string",
        "i": "list<item: int64>",
        "z": "timestamp[us]",
    }


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT ROW(1, 2) AS pair", "'pair' is of type struct"),
        ("SELECT INTERVAL '1' DAY AS span", "'span' is of type month_day_nano_interval"),
        ("SELECT 1 AS a, 2 AS a", "Two columns are named 'a'"),
        ("SELECT sum(x) AS s FROM (VALUES (9223372036854775807), (1)) AS t(x)", "'s' does not fit in int64"),
    ],
)
def test_what_has_no_plain_form_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(QueryError, match=reason):
        DuckDBEngine({}).run(sql)


def test_the_result_shows_the_bound_sql_without_the_sources() -> None:
    result = over({"event_id": "a"}).run(
        "SELECT event_id FROM cloudtrail_events WHERE event_name IN (:names) AND event_time < :t",
        {
            "names": Parameter("array(varchar)", ["it's", "b"]),
            "t": Parameter("timestamp", datetime(2026, 11, 1, tzinfo=UTC)),
        },
    )
    assert "IN ('it''s', 'b')" in result.sql
    assert "CAST('2026-11-01 00:00:00.000' AS TIMESTAMP(3))" in result.sql
    assert "stored_" not in result.sql
    assert "\n" in result.sql
    assert result.engine == "duckdb"
    assert result.duration_s > 0


def test_frames_have_aware_times() -> None:
    frame = over({"event_id": "a"}).run("SELECT event_id, event_time FROM cloudtrail_events").frame()
    assert str(frame["event_time"].dt.tz) == "UTC"


def test_the_columns_nobody_asks_for_are_not_read(tmp_path: Path) -> None:
    engine = DuckDBEngine({"cloudtrail_events": parts(tmp_path, events({"event_id": "a"}, {"event_id": "b"}))})
    sql = """
    WITH a AS (SELECT event_id FROM cloudtrail_events)
    SELECT count(*) AS n FROM a JOIN cloudtrail_events AS b ON a.event_id = b.event_id
    """
    plan = engine._connection.sql("EXPLAIN " + duckdb_sql(prepare(sql, {}, Window(), StoreSources()))).fetchall()
    text = "".join(row[-1] for row in plan)
    assert "event_id" in text
    assert "request_parameters" not in text


# Failures


def test_an_error_of_duckdb_shows_its_reason_and_the_sql_concerned() -> None:
    with pytest.raises(QueryError) as caught:
        over({"event_id": "e1"}).run("SELECT event_name,\n CAST(event_id AS BIGINT) AS n FROM cloudtrail_events")
    reason, line = str(caught.value).split("\n")
    assert reason.startswith("DuckDB stopped: Conversion Error: Could not convert string 'e1' to INT64")
    assert line.startswith('  at: CAST("cloudtrail_events"."event_id" AS BIGINT)')
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT no_such_function(event_id) FROM cloudtrail_events", "no_such_function"),
        ("SELECT event_id, count(*) FROM cloudtrail_events", "GROUP BY"),
        ("SELECT (SELECT event_id FROM cloudtrail_events)", "More than one row"),
        ("SELECT regexp_like(event_id, '(') FROM cloudtrail_events", "missing \\)"),
        ("SELECT substr(1, 2, 3, 4, 5)", "substr|number of arguments|arguments"),
    ],
)
def test_other_errors_are_short(sql: str, reason: str) -> None:
    with pytest.raises(QueryError, match=reason) as caught:
        over({"event_id": "a"}, {"event_id": "b"}).run(sql)
    assert "SET " not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


def test_an_interrupt_of_the_user_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    class Interrupted:
        def sql(self, _: str) -> None:
            raise duckdb.InterruptException("Interrupted!")

    engine = DuckDBEngine({})
    monkeypatch.setattr(engine, "_connection", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        engine.run("SELECT 1")


# The idioms that walk JSON

CONTAINERS = (
    '{"containerDefinitions": [{"name": "a", "env": [{"k": "x"}, {"k": "y"}]}, {"name": "b"}], "one": {"k": 1}}'
)
WALKED = [
    {"event_id": "list", "request_parameters": CONTAINERS},
    {"event_id": "empty", "request_parameters": '{"containerDefinitions": []}'},
    {"event_id": "object", "request_parameters": '{"containerDefinitions": {"name": "c"}}'},
    {"event_id": "null", "request_parameters": '{"containerDefinitions": null}'},
    {"event_id": "scalar", "request_parameters": '"text"'},
    {"event_id": "no json", "request_parameters": '{"containerDefinitions": [{"name"'},
    {"event_id": "nothing", "request_parameters": None},
]
LIST = "TRY_CAST(json_extract(request_parameters, '$.containerDefinitions') AS ARRAY(JSON))"


def walked(sql: str) -> list[list[Any]]:
    return [list(row.values()) for row in over(*WALKED).run(sql).table.to_pylist()]


def test_unnest_gives_one_row_an_item_and_none_for_what_is_no_list() -> None:
    sql = f"""
    SELECT event_id, json_extract_scalar(item, '$.name') AS name
    FROM cloudtrail_events CROSS JOIN UNNEST({LIST}) AS t(item)
    ORDER BY event_id, name
    """
    assert walked(sql) == [["list", "a"], ["list", "b"]]


def test_unnest_nests() -> None:
    sql = f"""
    SELECT json_extract_scalar(item, '$.name') AS name, json_extract_scalar(entry, '$.k') AS k
    FROM cloudtrail_events
    CROSS JOIN UNNEST({LIST}) AS t(item)
    CROSS JOIN UNNEST(TRY_CAST(json_extract(item, '$.env') AS ARRAY(JSON))) AS u(entry)
    ORDER BY name, k
    """
    assert walked(sql) == [["a", "x"], ["a", "y"]]


def test_a_left_join_to_unnest_keeps_events_without_a_list() -> None:
    sql = f"""
    SELECT event_id, count(item) AS items
    FROM cloudtrail_events LEFT JOIN UNNEST({LIST}) AS t(item) ON TRUE
    GROUP BY event_id ORDER BY event_id
    """
    assert walked(sql) == sorted([row["event_id"], 2 if row["event_id"] == "list" else 0] for row in WALKED)


def test_any_match_looks_into_the_items() -> None:
    sql = f"""
    SELECT event_id FROM cloudtrail_events
    WHERE any_match({LIST}, item -> json_extract_scalar(item, '$.name') = 'b')
    ORDER BY event_id
    """
    assert walked(sql) == [["list"]]


def test_an_object_can_be_walked_like_a_list_of_one() -> None:
    sql = """
    SELECT event_id FROM cloudtrail_events
    WHERE any_match(
        ARRAY[json_extract(request_parameters, '$.containerDefinitions')],
        node -> any_match(
            COALESCE(TRY_CAST(node AS ARRAY(JSON)), ARRAY[node]),
            item -> json_extract_scalar(item, '$.name') IN ('a', 'c')
        )
    )
    ORDER BY event_id
    """
    assert walked(sql) == [["list"], ["object"]]


def test_unnest_with_ordinality_counts_from_one() -> None:
    sql = f"""
    SELECT json_extract_scalar(item, '$.name') AS name, place
    FROM cloudtrail_events CROSS JOIN UNNEST({LIST}) WITH ORDINALITY AS t(item, place)
    ORDER BY place
    """
    assert walked(sql) == [["a", 1], ["b", 2]]


def test_a_slow_statement_draws_no_progress_bar() -> None:
    """After two seconds DuckDB would draw one on stdout, into the middle of our JSON."""
    [[value]] = DuckDBEngine({})._connection.sql("SELECT current_setting('enable_progress_bar')").fetchall()
    assert value is False


UNNESTED = """
WITH base AS (
    SELECT event_id, split(event_name, ',') AS names FROM cloudtrail_events
)
SELECT event_id, {columns}
FROM base
CROSS JOIN UNNEST({names}) AS u(name)
{more}
ORDER BY 1, 2
"""


@pytest.mark.parametrize(
    ("columns", "names", "more", "rows"),
    [
        ("name", "names", "", [("a", "x"), ("a", "y"), ("b", "z")]),
        ("u.name AS name", "names", "WHERE u.name <> 'x'", [("a", "y"), ("b", "z")]),
        ("count(name) AS name", "names", "GROUP BY event_id", [("a", 2), ("b", 1)]),
        ("(SELECT u.name) AS name", "names", "", [("a", "x"), ("a", "y"), ("b", "z")]),
        ("name", "filter(names, n -> n <> 'x')", "", [("a", "y"), ("b", "z")]),
        ("name", "filter(names, n -> n = 'no')", "", []),
    ],
)
def test_a_list_is_taken_apart_in_place_with_the_same_rows(
    columns: str, names: str, more: str, rows: list[tuple[str, Any]]
) -> None:
    events = [{"event_id": "a", "event_name": "x,y"}, {"event_id": "b", "event_name": "z"}, {"event_id": "c"}]
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events(events)})
    sql = UNNESTED.format(columns=columns, names=names, more=more)
    assert [tuple(row.values()) for row in engine.run(sql).table.to_pylist()] == rows
    statement = prepare(sql, {}, ALWAYS, StoreSources())
    assert "CROSS JOIN" not in duckdb_sql(statement)
