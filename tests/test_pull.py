"""Rows of an engine into a store: each day once, whole or not at all, and the books balance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.tables import Limits
from auditkit.errors import StoreError, WindowError
from auditkit.ingest import ingest
from auditkit.model import Window
from auditkit.pull import PullReport, planned, pull
from auditkit.pulls import EVERYTHING, Scope
from auditkit.store import Store
from tests import cases
from tests.far_engine import FarEngine
from tests.records import record, write_trail

NOW = datetime(2026, 11, 28, tzinfo=UTC)
FIRST, SECOND, THIRD = (datetime(2026, 11, day, tzinfo=UTC) for day in (2, 3, 4))


def events(*rows: dict[str, object]) -> pa.Table:
    return cases.cloudtrail_events([dict(row) for row in rows])


def event(name: str, day: int, hour: int = 10, **more: object) -> dict[str, object]:
    time = datetime(2026, 11, day, hour)
    file = f"s3://logs/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/{day:02}/{name[0]}.json.gz"
    return {"event_id": name, "event_time": time, "event_source": "ecs.amazonaws.com", "log_file": file} | more


THREE_DAYS = events(
    event("a1", 2),
    event("b1", 2, 23),
    event("c1", 3, 0),
    event("c2", 3, event_source="iam.amazonaws.com"),
    event("d1", 4),
)
FLOWS = cases.flow_records(
    [
        {
            "start_time": datetime(2026, 11, 2, 9),
            "action": "REJECT",
            "srcaddr": "198.51.100.1",
            "log_file": "s3://logs/f1",
        },
        {
            "start_time": datetime(2026, 11, 3, 9),
            "action": "ACCEPT",
            "srcaddr": "198.51.100.2",
            "log_file": "s3://logs/f2",
        },
    ]
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", create=True)


def bring(
    engine: FarEngine, store: Store, start: datetime, end: datetime, *, now: datetime = NOW, **how: object
) -> PullReport:
    return pull(engine, store, planned(engine, store, Window(start, end), now=now, **how), now=now)  # type: ignore[arg-type]


def ids(store: Store) -> list[str]:
    rows = DuckDBEngine(store.parts()).run("SELECT event_id FROM cloudtrail_events ORDER BY event_id")
    return list(rows.table["event_id"].to_pylist())


def test_a_store_has_what_the_engine_has_of_the_window(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS, "flow_records": FLOWS})
    report = bring(engine, store, FIRST, THIRD)
    assert (report.events, report.flow_records, report.duplicates, report.days) == (4, 2, 0, 4)
    assert ids(store) == ["a1", "b1", "c1", "c2"]
    here, there = DuckDBEngine(store.parts()), engine
    for table in ("cloudtrail_events", "flow_records"):
        sql = f"SELECT * FROM {table} ORDER BY 1, 3"
        window = Window(FIRST, THIRD)
        columns = here.run(sql).table.column_names
        assert here.run(sql).table.equals(there.run(sql, window=window).table.select(columns))


def test_each_table_takes_one_statement(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS, "flow_records": FLOWS})
    bring(engine, store, FIRST, THIRD + timedelta(days=1))
    assert len(engine.asked) == 2


def test_the_window_is_rounded_to_whole_days(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, FIRST + timedelta(hours=12), SECOND + timedelta(hours=1))
    assert engine.asked[0][1] == Window(FIRST, THIRD)
    assert ids(store) == ["a1", "b1", "c1", "c2"]


def test_a_window_that_ends_at_midnight_does_not_touch_the_day_that_begins(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, FIRST, SECOND)
    assert ids(store) == ["a1", "b1"]


def test_the_window_alone_is_brought_where_that_is_asked(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, FIRST + timedelta(hours=12), SECOND + timedelta(hours=1), whole_days=False)
    assert ids(store) == ["b1", "c1"]


def test_a_day_is_brought_once(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, FIRST, SECOND)
    report = bring(engine, store, FIRST, THIRD)
    assert (report.days, report.events) == (1, 2)
    assert engine.asked[-1][1] == Window(SECOND, THIRD)
    assert ids(store) == ["a1", "b1", "c1", "c2"]
    assert bring(engine, store, FIRST, THIRD).days == 0


def test_days_between_two_that_are_there_are_brought_in_one_stretch_each(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, SECOND, THIRD)
    bring(engine, store, FIRST, THIRD + timedelta(days=1))
    assert [window for _, window in engine.asked[1:]] == [
        Window(FIRST, SECOND),
        Window(THIRD, THIRD + timedelta(days=1)),
    ]


def test_a_day_that_was_not_over_is_brought_again(store: Store) -> None:
    early = FarEngine({"cloudtrail_events": events(event("a1", 2))})
    bring(early, store, FIRST, SECOND, now=FIRST + timedelta(hours=11))
    assert early.asked[0][1] == Window(FIRST, FIRST + timedelta(hours=11))
    later = FarEngine({"cloudtrail_events": THREE_DAYS})
    assert bring(later, store, FIRST, SECOND).days == 1
    assert ids(store) == ["a1", "b1"]
    books = store.books()
    assert (books["records"], books["stored"], books["duplicates"]) == (2, 2, 0)


def test_copies_of_an_event_are_counted_and_kept_once(store: Store) -> None:
    engine = FarEngine(
        {"cloudtrail_events": events(event("a1", 2), event("a1", 2), event("a1", 2, account_id="444455556666"))}
    )
    report = bring(engine, store, FIRST, SECOND)
    assert (report.events, report.duplicates) == (2, 1)
    books = store.books()
    assert (books["records"], books["stored"], books["duplicates"]) == (3, 2, 1)


def test_events_without_an_id_are_all_kept(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": events(event("a1", 2, event_id=None), event("a1", 2, event_id=None))})
    assert bring(engine, store, FIRST, SECOND).events == 2


def test_files_are_known_by_the_names_that_rows_give_them(store: Store) -> None:
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}), store, FIRST, THIRD)
    files = {file["key"].rsplit("/", 1)[-1]: file["records"] for file in store.files()}
    assert files == {"a.json.gz": 1, "b.json.gz": 1, "c.json.gz": 2}


def test_rows_without_a_file_are_kept_and_said_to_be_so(store: Store) -> None:
    bring(FarEngine({"cloudtrail_events": events(event("a1", 2, log_file=None))}), store, FIRST, SECOND)
    assert [file["key"] for file in store.files()] == ["(not told)"]


def test_a_pull_that_breaks_off_leaves_the_store_as_it_was(store: Store) -> None:
    bring(
        FarEngine({"cloudtrail_events": events(event("z9", 2))}), store, FIRST, SECOND, now=FIRST + timedelta(hours=20)
    )
    broken = FarEngine({"cloudtrail_events": events(*(event(f"e{n}", 2) for n in range(40)))})
    broken.fails_after = 2
    with pytest.raises(ConnectionError):
        bring(broken, store, FIRST, SECOND)
    assert ids(store) == ["z9"]
    broken.fails_after = None
    bring(broken, store, FIRST, SECOND)
    assert len(ids(store)) == 40
    listed = {path for paths in store.parts().values() for path in paths}
    assert set(store.folder.rglob("*.parquet")) == listed


# --- whose events ------------------------------------------------------------------------------------------------------


def test_only_the_services_asked_for_are_brought(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS, "flow_records": FLOWS})
    bring(engine, store, FIRST, THIRD, services=["iam"])
    assert ids(store) == ["c2"]
    assert "IN ('iam')" in engine.asked[0][0]
    assert len(DuckDBEngine(store.parts()).run("SELECT srcaddr FROM flow_records ORDER BY 1").table) == 2


def test_another_service_comes_beside_those_that_are_there(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, SECOND, THIRD, services=["iam"])
    bring(engine, store, SECOND, THIRD, services=["ecs"])
    assert ids(store) == ["c1", "c2"]
    assert bring(engine, store, SECOND, THIRD, services=["iam"]).days == 0
    assert {day.scope for day in store.pulled_days()} == {Scope(services=("ecs", "iam"))}


def test_what_is_there_of_all_services_is_there_of_one(store: Store) -> None:
    engine = FarEngine({"cloudtrail_events": THREE_DAYS})
    bring(engine, store, FIRST, SECOND)
    assert bring(engine, store, FIRST, SECOND, services=["iam"]).days == 0


def test_days_of_other_accounts_do_not_take_the_place_of_those_there(store: Store) -> None:
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}, limits=Limits(accounts=("111122223333",))), store, FIRST, SECOND)
    with pytest.raises(StoreError, match=r"for accounts 111122223333.*store of its own"):
        bring(FarEngine({"cloudtrail_events": THREE_DAYS}), store, FIRST, SECOND)


def test_limits_are_in_the_rows(store: Store) -> None:
    rows = events(event("a1", 2), event("a2", 2, account_id="444455556666"))
    bring(FarEngine({"cloudtrail_events": rows}, limits=Limits(accounts=("444455556666",))), store, FIRST, SECOND)
    assert ids(store) == ["a2"]


def test_days_of_another_table_do_not_mix(store: Store) -> None:
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}), store, FIRST, SECOND)
    other = FarEngine({"cloudtrail_events": THREE_DAYS})
    other.name = "trino"
    with pytest.raises(StoreError, match=r"of athena, and this is .* of trino"):
        bring(other, store, FIRST, SECOND)


@pytest.mark.parametrize(
    ("held", "asked", "is_covered"),
    [
        (EVERYTHING, Scope(services=("ecs",)), True),
        (Scope(services=("ecs",)), EVERYTHING, False),
        (Scope(services=("ecs", "iam")), Scope(services=("iam",)), True),
        (Scope(services=("ecs",)), Scope(services=("ecs", "iam")), False),
        (Scope(accounts=("1",)), Scope(services=("ecs",)), False),
        (Scope(accounts=("1",)), Scope(services=("ecs",), accounts=("1",)), True),
    ],
)
def test_a_scope_covers_what_is_part_of_it(held: Scope, asked: Scope, is_covered: bool) -> None:
    assert held.covers(asked) is is_covered


# --- one store, one way --------------------------------------------------------------------------------------------------


def test_logs_and_pulls_do_not_share_a_store(store: Store, tmp_path: Path) -> None:
    write_trail(tmp_path / "logs" / "1.json", record("e1", eventTime="2026-11-02T10:00:00Z"))
    ingest(store, [tmp_path / "logs"])
    with pytest.raises(StoreError, match="holds logs that were ingested"):
        bring(FarEngine({"cloudtrail_events": THREE_DAYS}), store, FIRST, SECOND)
    pulled = Store(tmp_path / "pulled", create=True)
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}), pulled, FIRST, SECOND)
    with pytest.raises(StoreError, match="rows that were pulled"):
        ingest(pulled, [tmp_path / "logs"])


def test_a_window_needs_two_sides(store: Store) -> None:
    with pytest.raises(WindowError, match="two sides"):
        planned(FarEngine({"cloudtrail_events": THREE_DAYS}), store, Window(FIRST), now=NOW)


def test_the_ledger_remembers_every_statement_and_its_bill(store: Store) -> None:
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}), store, FIRST, SECOND)
    [done] = store.pulls()
    assert (done.table, done.engine, done.query_id, done.row_count) == ("cloudtrail_events", "athena", "q-1", 2)
    assert (done.bytes_scanned, done.window, done.scope, done.pulled_at) == (
        1_000,
        Window(FIRST, SECOND),
        EVERYTHING,
        NOW,
    )
    assert "SELECT" in done.sql
    [day] = store.pulled_days()
    assert (day.day, day.source) == (date(2026, 11, 2), "stored_cloudtrail_events")


def test_a_store_from_before_there_were_pulls_is_opened_and_goes_on(store: Store, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(store.folder / "ledger.sqlite") as connection:
        connection.executescript("DROP TABLE pull_days; DROP TABLE pulls; PRAGMA user_version = 2;")
    connection.close()
    reopened = Store(store.folder)
    assert reopened.pulls() == []
    bring(FarEngine({"cloudtrail_events": THREE_DAYS}), reopened, FIRST, SECOND)
    assert ids(reopened) == ["a1", "b1"]
