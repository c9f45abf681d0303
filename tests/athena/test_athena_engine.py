"""Athena's engine: what it sends, what comes back unharmed, and that it tells what it is doing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from auditkit.engines import Engine
from auditkit.engines.athena.engine import AthenaEngine
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.tables import Limits
from auditkit.errors import EngineError, QueryError, ScanLimitError, WindowError
from auditkit.model import Parameter, Running, Window
from tests.athena.conftest import Engines, Lab
from tests.athena.world import Workgroup
from tests.cases import cloudtrail_events, flow_records
from tests.s3_server import Scripted, refusal

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
HOSTILE = ["", " ", '"', '""', "'", ",", "\\", "\\N", "NULL", "null", "a\nb", "a\r\nb", "[a, b]", "{a=b}", "a\tb", "é€😀",
           "<script>", "-- x", "%s", "\x01\x7f", "true", "1", "2026-11-02", "﻿x"]  # fmt: skip


def rows(engine: AthenaEngine, sql: str, window: Window = NOVEMBER, **params: Parameter) -> list[dict[str, Any]]:
    return engine.run(sql, params, window=window).table.to_pylist()


def test_it_is_an_engine(athena: AthenaEngine) -> None:
    engine: Engine = athena
    assert engine.name == "athena"
    assert athena.is_charged
    assert athena.region == "eu-central-1"


def test_nothing_is_asked_before_the_first_question(athena: AthenaEngine, lab: Lab) -> None:
    assert lab.athena.asked == []


def test_a_result_says_what_it_cost(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.bytes_scanned = 2 * 10**12
    result = athena.run("SELECT count(*) AS n FROM cloudtrail_events", {}, window=NOVEMBER)
    assert result.engine == "athena"
    assert result.table.to_pylist() == [{"n": 0}]
    assert result.query_id in lab.athena.executions
    assert result.bytes_scanned == 2 * 10**12
    assert result.cost_usd == 10.0
    assert result.duration_s > 0
    assert result.sql == "SELECT\n  COUNT(*) AS n\nFROM cloudtrail_events"


def test_the_statement_is_sent_to_where_the_settings_say(engine_with: Engines, lab: Lab) -> None:
    lab.athena.workgroups["audits"] = Workgroup()
    rows(engine_with(workgroup="audits", output_location=f"s3://{lab.bucket}/mine"), "SELECT 1 AS x")
    (request,) = lab.athena.operations("StartQueryExecution")
    assert request["WorkGroup"] == "audits"
    assert request["QueryExecutionContext"] == {"Database": "audit", "Catalog": "awsdatacatalog"}
    assert request["ResultConfiguration"] == {"OutputLocation": f"s3://{lab.bucket}/mine/"}
    assert [key.split("/")[0] for key in lab.stored()] == ["mine"]


def test_the_workgroup_decides_on_the_location_when_the_settings_do_not(
    athena: AthenaEngine, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ATHENA_S3_STAGING_DIR", "s3://elsewhere/")
    monkeypatch.setenv("AWS_ATHENA_WORK_GROUP", "elsewhere")
    rows(athena, "SELECT 1 AS x")
    (request,) = lab.athena.operations("StartQueryExecution")
    assert "ResultConfiguration" not in request
    assert request["WorkGroup"] == "primary"


def test_tables_are_named_with_their_database_and_cut_to_the_window(athena: AthenaEngine, lab: Lab) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"event_time": datetime(2026, 11, day)} for day in (1, 2, 3)]))
    day = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    assert rows(athena, "SELECT event_id FROM cloudtrail_events", day) == [{"event_id": "e2"}]
    assert '"audit"."trail"' in lab.athena.sent[0]


def test_a_window_needs_both_sides(athena: AthenaEngine) -> None:
    with pytest.raises(WindowError, match="two sides"):
        rows(athena, "SELECT event_id FROM cloudtrail_events", Window(NOVEMBER.start))


def test_limits_hold(engine_with: Engines, lab: Lab) -> None:
    lab.hold("flow_records", flow_records([{"account_id": "1", "region": "a"}, {"account_id": "2", "region": "a"}]))
    engine = engine_with(limits=Limits(accounts=("2",), regions=("a",)))
    assert rows(engine, "SELECT account_id FROM flow_records") == [{"account_id": "2"}]


def test_a_table_of_another_database(engine_with: Engines, lab: Lab) -> None:
    lab.backend.hold("other", "logs", cloudtrail_events([{}]))
    lab.athena.tables["other", "logs"] = lab.athena.tables["audit", "trail"] | {"Name": "logs"}
    engine = engine_with(cloudtrail_table="Other.Logs")
    assert rows(engine, "SELECT count(*) AS n FROM cloudtrail_events") == [{"n": 1}]
    assert str(engine.tables.stored["cloudtrail_events"]) == "other.logs"


def test_a_statement_without_tables_needs_none(engine_with: Engines, lab: Lab) -> None:
    assert rows(engine_with(cloudtrail_table="no_such"), "SELECT 1 AS x") == [{"x": 1}]
    assert lab.athena.operations("GetTableMetadata") == []


def test_metadata_is_asked_for_once(athena: AthenaEngine, lab: Lab) -> None:
    for _ in range(2):
        rows(athena, "SELECT count(*) AS n FROM cloudtrail_events")
    assert [request["TableName"] for request in lab.athena.operations("GetTableMetadata")] == ["trail"]


TYPED = """
SELECT
    CAST('x' AS VARCHAR) AS a_text, 7 AS an_integer, CAST(7 AS BIGINT) AS a_bigint, 0.1e0 AS a_double, 1e10 AS large,
    TRUE AS a_boolean, DATE '2026-11-02' AS a_date, CAST('2026-11-02 09:00:00.001' AS TIMESTAMP) AS a_time,
    CAST(NULL AS BIGINT) AS no_bigint, CAST(NULL AS VARCHAR) AS no_text, '' AS empty, NULL AS nothing,
    CAST(NULL AS TIMESTAMP) AS no_time, ARRAY['a'] AS a_list, CAST(NULL AS ARRAY(VARCHAR)) AS no_list
"""


def test_values_come_in_plain_types(athena: AthenaEngine) -> None:
    result = athena.run(TYPED, {}, window=NOVEMBER)
    assert result.table.to_pylist() == [
        {
            "a_text": "x",
            "an_integer": 7,
            "a_bigint": 7,
            "a_double": 0.1,
            "large": 1e10,
            "a_boolean": True,
            "a_date": date(2026, 11, 2),
            "a_time": datetime(2026, 11, 2, 9, 0, 0, 1000),
            "no_bigint": None,
            "no_text": None,
            "empty": "",
            "nothing": None,
            "no_time": None,
            "a_list": ["a"],
            "no_list": None,
        }
    ]
    kinds = {field.name: str(field.type) for field in result.table.schema}
    assert kinds["a_time"] == kinds["no_time"] == "timestamp[us]"
    assert kinds["an_integer"] == kinds["no_bigint"] == "int64"
    assert kinds["no_list"] == "list<item: string>"
    assert kinds["nothing"] == "string"


def test_no_rows_have_all_columns_and_types(athena: AthenaEngine) -> None:
    some = athena.run(TYPED, {}, window=NOVEMBER).table
    none = athena.run(f"{TYPED} WHERE FALSE", {}, window=NOVEMBER).table
    assert none.num_rows == 0
    assert none.schema == some.schema


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CAST('2026-11-02 09:00:00+02:00' AS TIMESTAMP WITH TIME ZONE)", datetime(2026, 11, 2, 7)),
        ("CAST('2026-11-02 09:00:00.123456' AS TIMESTAMP)", datetime(2026, 11, 2, 9, 0, 0, 123456)),
        ("CAST(1.5 AS DECIMAL(10, 2))", 1.5),
        ("CAST(3 AS DECIMAL(18, 0))", 3),
        ("1e0 / 3e0", 1 / 3),
        ("CAST('NaN' AS DOUBLE)", float("nan")),
        ("CAST('Infinity' AS DOUBLE)", float("inf")),
        ("1e-300", 1e-300),
        ("-1.7976931348623157e308", -1.7976931348623157e308),
        ("9223372036854775807", 2**63 - 1),
        ("CAST(7 AS SMALLINT)", 7),
        ("json_parse('{\"a\":1}')", '{"a":1}'),
    ],
)
def test_odd_values(athena: AthenaEngine, written: str, expected: Any) -> None:
    (row,) = rows(athena, f"SELECT {written} AS x")
    assert row["x"] == pytest.approx(expected, abs=0, nan_ok=True) if isinstance(expected, float) else expected


def test_columns_without_a_name_are_called_as_they_are_elsewhere(athena: AthenaEngine) -> None:
    sql = "SELECT 1, 'x' AS b, lower('A'), ARRAY['l'], 1e0 + 1e0"
    assert athena.run(sql, {}, window=NOVEMBER).table == DuckDBEngine({}).run(sql).table


def test_a_star_gives_the_columns_of_the_schema(athena: AthenaEngine, lab: Lab) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"event_name": "A", "mfa": True}]))
    (row,) = rows(athena, "SELECT * FROM cloudtrail_events")
    assert list(row)[:3] == ["event_time", "event_date", "event_id"]
    assert (row["event_name"], row["mfa"], row["event_date"]) == ("A", True, date(2026, 11, 2))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT evnt_name FROM cloudtrail_events", "Did you mean 'event_name'"),
        ("SELECT event_name AS n FROM cloudtrail_events WHERE n = 'a'", "'n'"),  # nor does Trino look there
        ("SELECT 1 AS a, 2 AS a", "Two columns are named 'a'"),
        ("SELECT MAP(ARRAY['a'], ARRAY[1]) AS m", "no plain form"),
        ("SELECT 1; SELECT 2", "2 statements"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_it_costs(
    athena: AthenaEngine, lab: Lab, sql: str, said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        rows(athena, sql)
    assert lab.athena.sent == []


def test_a_statement_that_is_too_long_is_not_sent(athena: AthenaEngine, lab: Lab) -> None:
    names = Parameter("array(varchar)", [f"{number:0200}" for number in range(1400)])
    with pytest.raises(QueryError, match=r"29\d,\d\d\d bytes; Athena and Trino take 262,144.*shorter list"):
        rows(athena, "SELECT event_id FROM cloudtrail_events WHERE event_name IN (:names)", names=names)
    assert lab.athena.sent == []


def test_a_statement_that_is_just_short_enough_is_answered(athena: AthenaEngine, lab: Lab) -> None:
    names = Parameter("array(varchar)", [f"{number:0200}" for number in range(1235)])
    assert rows(athena, "SELECT event_id FROM cloudtrail_events WHERE event_name IN (:names)", names=names) == []
    assert len(lab.athena.sent[0]) > 250_000


# Answers of many rows, of managed results, of buckets that cannot be read


def hold_many(lab: Lab, count: int) -> list[str]:
    names = [HOSTILE[number % len(HOSTILE)] + str(number) for number in range(count)]
    events = [{"event_name": name, "user_agent": HOSTILE[n % len(HOSTILE)]} for n, name in enumerate(names)]
    for number, event in enumerate(events):
        event |= {"event_time": datetime(2026, 11, 2), "error_code": None if number % 3 else ""}
    lab.hold("cloudtrail_events", cloudtrail_events(events))
    return names


MANY = "SELECT event_name, user_agent, error_code, ARRAY[event_name, user_agent] AS both FROM cloudtrail_events ORDER BY length(event_name), event_name"


@pytest.mark.parametrize("count", [0, 1, 998, 999, 1000, 1001, 2500])
@pytest.mark.parametrize("place", ["bucket", "managed"])
def test_answers_of_any_length_are_whole_and_in_order(athena: AthenaEngine, lab: Lab, count: int, place: str) -> None:
    if place == "managed":
        lab.athena.workgroups["primary"] = Workgroup(is_managed=True)
    names = hold_many(lab, count)
    found = rows(athena, MANY)
    assert [row["event_name"] for row in found] == sorted(names, key=lambda name: (len(name), name.encode()))
    assert {row["user_agent"] for row in found} == set(HOSTILE[:count])
    assert all(row["both"] == [row["event_name"], row["user_agent"]] for row in found)
    assert sum(row["error_code"] is None for row in found) == count - len(range(0, count, 3))
    pages = len(lab.athena.operations("GetQueryResults"))
    assert pages == (1 if place == "bucket" else 1 + (count + 1) // 1000)


def test_a_file_that_cannot_be_read_is_read_by_page(
    athena: AthenaEngine, lab: Lab, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = hold_many(lab, 1500)
    asked = scripted(lambda _: refusal(403, "AccessDenied", "no"))  # the bucket, as the engine sees it
    assert len(rows(athena, MANY)) == len(names)
    assert [request.method for request in asked.requests] == ["GET"]
    assert len(lab.athena.operations("GetQueryResults")) == 2


def test_one_column_that_is_null_is_a_row(athena: AthenaEngine, lab: Lab) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"error_code": None, "repeat": 1200}, {"error_code": ""}]))
    found = athena.run("SELECT error_code FROM cloudtrail_events ORDER BY 1", {}, window=NOVEMBER).table
    assert found["error_code"].to_pylist() == ["", *[None] * 1200]


# What is told while it runs


def test_it_tells_what_it_is_doing(engine_with: Engines, lab: Lab) -> None:
    told: list[Running] = []
    result = engine_with(progress=told.append).run("SELECT 1 AS x", {}, window=NOVEMBER)
    assert (told[0].state, told[0].bytes_scanned) == ("QUEUED", 0)
    assert (told[-1].state, told[-1].bytes_scanned) == ("SUCCEEDED", 12_345)
    assert {(one.engine, one.query_id) for one in told} == {("athena", result.query_id)}
    assert [one.elapsed_s for one in told] == sorted(one.elapsed_s for one in told)


def test_the_id_is_told_before_the_wait(engine_with: Engines, lab: Lab) -> None:
    lab.athena.faults.fails = "GENERIC_INTERNAL_ERROR: gone"
    told: list[Running] = []
    with pytest.raises(QueryError):
        rows(engine_with(progress=told.append), "SELECT 1 AS x")
    assert told[0].query_id in lab.athena.executions


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING"])
def test_ctrl_c_stops_the_statement_there(engine_with: Engines, lab: Lab, state: str) -> None:
    pressed = []

    def press(running: Running) -> None:
        if running.state == state and not pressed:
            pressed.append(running)
            raise KeyboardInterrupt

    lab.athena.faults.never_ends = True
    with pytest.raises(KeyboardInterrupt):
        rows(engine_with(progress=press), "SELECT 1 AS x")
    (execution,) = lab.athena.executions.values()
    assert execution.state == "CANCELLED"


def test_whoever_is_told_may_fail_and_leaves_nothing_running(engine_with: Engines, lab: Lab) -> None:
    def fail(running: Running) -> None:
        if running.state == "RUNNING":
            raise ZeroDivisionError

    lab.athena.faults.never_ends = True
    with pytest.raises(ZeroDivisionError):
        rows(engine_with(progress=fail), "SELECT 1 AS x")
    assert len(lab.athena.operations("StopQueryExecution")) == 1


# Answers used again, and limits


def test_the_same_statement_is_answered_again_for_nothing(athena: AthenaEngine, lab: Lab) -> None:
    params = {
        "at": Parameter("timestamp", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        "names": Parameter("array(varchar)", ["b", "a"]),
    }
    sql = "SELECT event_id FROM cloudtrail_events WHERE event_time > :at AND event_name IN (:names)"
    first, again = (athena.run(sql, params, window=NOVEMBER) for _ in range(2))
    assert (first.bytes_scanned, again.bytes_scanned) == (12_345, 0)
    assert again.cost_usd == 0
    assert first.query_id != again.query_id


def test_reuse_can_be_turned_off(engine_with: Engines, lab: Lab) -> None:
    engine = engine_with(result_reuse_minutes=0)
    assert [engine.run("SELECT 1 AS x", {}, window=NOVEMBER).bytes_scanned for _ in range(2)] == [12_345, 12_345]


def test_a_statement_that_reads_too_much_is_stopped(engine_with: Engines, lab: Lab) -> None:
    lab.athena.faults.never_ends = True
    with pytest.raises(ScanLimitError, match=r"was stopped after it had read 12,345 bytes; at most 10,000"):
        rows(engine_with(max_scan_bytes=10_000), "SELECT 1 AS x")
    assert len(lab.athena.operations("StopQueryExecution")) == 1


def test_a_statement_that_has_read_too_much_is_told(engine_with: Engines, lab: Lab) -> None:
    engine = engine_with(max_scan_bytes=10_000)
    with pytest.raises(ScanLimitError, match="12,345 bytes"):
        rows(engine, "SELECT 1 AS x")
    assert rows(engine, "SELECT 1 AS x") == [{"x": 1}]  # which costs nothing now


def test_a_workgroup_may_have_a_limit(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.workgroups["primary"].cutoff = 10_000_000
    lab.athena.bytes_scanned = 20_000_000
    with pytest.raises(ScanLimitError, match=r"after 10,000,000 bytes.*workgroup 'primary' .*shorter window"):
        rows(athena, "SELECT 1 AS x")


def test_a_window_beyond_the_projected_range_is_no_empty_answer(athena: AthenaEngine, lab: Lab) -> None:
    lab.hold(
        "cloudtrail_events",
        cloudtrail_events([]),
        **{
            "projection.enabled": "true",
            "projection.event_date.type": "date",
            "projection.event_date.format": "yyyy-MM-dd",
            "projection.event_date.range": "2027-01-01,NOW",
        },
    )
    with pytest.raises(EngineError, match=r"No partition in the window.*projection\.event_date\.range"):
        rows(athena, "SELECT event_id FROM cloudtrail_events")
    assert rows(athena, "SELECT srcaddr FROM flow_records") == []
    assert "2027-01-01,NOW" in str(athena.outside_projection(NOVEMBER))
