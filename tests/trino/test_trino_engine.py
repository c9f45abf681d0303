"""How a statement runs on Trino: what is told meanwhile, how it is stopped, what is said when it fails, and a pull."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditkit.engines.settings import TrinoSettings
from auditkit.engines.trino.engine import TrinoEngine
from auditkit.errors import EngineError, QueryError
from auditkit.model import Running, Window
from auditkit.pull import planned, pull
from auditkit.store import Store
from tests import raw_tables
from tests.records import record
from tests.trino.server import Trino

DAY = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
SLOW = "SELECT count(*) AS n FROM UNNEST(sequence(1, 9000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 9000)) AS b(y) CROSS JOIN UNNEST(sequence(1, 9000)) AS c(z)"


def engine(server: Trino, **more: object) -> TrinoEngine:
    progress = more.pop("progress", None)
    settings = TrinoSettings(host=server.host, port=server.port, catalog=server.catalog, **more)  # type: ignore[arg-type]
    return TrinoEngine(settings, progress=progress)  # type: ignore[arg-type]


def test_what_runs_is_told_by_its_id_and_state(trino: Trino) -> None:
    told: list[Running] = []
    result = engine(trino, progress=told.append).run("SELECT 1 AS n")
    assert {one.query_id for one in told if one.query_id} == {result.query_id}
    assert told[-1].state == "FINISHED"
    assert result.engine == "trino"
    assert result.cost_usd is None


def test_ctrl_c_stops_the_statement_at_trino_too(trino: Trino) -> None:
    ids: list[str] = []

    def interrupt(now: Running) -> None:
        if now.state == "RUNNING":
            ids.append(now.query_id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine(trino, progress=interrupt).run(SLOW)
    for _ in range(50):
        [[state, code]] = trino.execute(
            f"SELECT state, error_code FROM system.runtime.queries WHERE query_id = '{ids[0]}'"
        )
        if state == "FAILED":
            break
        time.sleep(0.1)
    assert (state, code) == ("FAILED", "USER_CANCELED")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "SELECT 1 / x AS n FROM (VALUES 0) AS t(x)",
            r"Trino stopped, query \d+_\w+: Division by zero \(DIVISION_BY_ZERO\)",
        ),
        ("SELECT no_such_function(1) AS n", r"no_such_function.*\(FUNCTION_NOT_FOUND\)"),
        ("SELECT MAP(ARRAY['a'], ARRAY[1]) AS n", r"Column 'n' is of type map.*no plain form"),
    ],
)
def test_what_trino_refuses_is_said_with_the_id(sql: str, said: str, trino: Trino) -> None:
    with pytest.raises(QueryError, match=said):
        engine(trino).run(sql)


def test_a_schema_that_is_not_there_is_named(trino: Trino) -> None:
    with pytest.raises(EngineError, match=r"Trino has no such table: .*nowhere.*--cloudtrail-table"):
        engine(trino, cloudtrail_table="nowhere.trail").run("SELECT event_id FROM cloudtrail_events", window=DAY)


def test_a_password_is_not_sent_in_the_open(trino: Trino) -> None:
    with pytest.raises(EngineError, match="TLS/SSL is required"):
        engine(trino, password="secret", scheme="http").run("SELECT 1 AS n")


def test_a_pull_counts_what_was_delivered_twice_and_a_question_sees_it_once(trino: Trino, tmp_path: Path) -> None:
    records = [
        record("e1", eventTime="2026-11-02T10:00:00Z"),
        record("e1", eventTime="2026-11-02T10:00:00Z"),
        record("e2", eventTime="2026-11-02T11:00:00Z"),
        record("e3", eventTime="2026-11-03T00:00:00Z"),
    ]
    trino.external_table("twice", "trail", raw_tables.aws_cloudtrail(records).drop_columns(["$path"]))
    far = engine(trino, cloudtrail_table="twice.trail")
    asked = far.run("SELECT event_id FROM cloudtrail_events ORDER BY event_id", window=DAY)
    assert asked.table["event_id"].to_pylist() == ["e1", "e2"]
    store, now = Store(tmp_path / "store", create=True), datetime(2026, 11, 28, tzinfo=UTC)
    report = pull(far, store, planned(far, store, DAY, now=now), now=now)
    assert (report.events, report.duplicates) == (2, 1)
    assert report.bytes_scanned > 0
    [file] = store.files()
    assert file["key"].startswith("local:///twice/trail/")
    assert (file["records"], file["stored"]) == (3, 2)
