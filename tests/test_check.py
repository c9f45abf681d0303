"""`auditkit athena check`: what tables lack, what is wrong with them, and what a question will cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from sqlglot import exp

from auditkit import opening
from auditkit.engines.cost import Estimate
from auditkit.engines.sources import source
from auditkit.engines.tables import PartitionKey, StoredTable, Tables
from auditkit.errors import EngineError
from auditkit.model import Window
from auditkit.remote import Remote
from auditkit.schema import TABLES
from auditkit.setup.check import TableCheck, check
from auditkit.setup.check_text import as_text
from tests.conftest import Command
from tests.far_engine import FarEngine
from tests.raw_flow_tables import OLD_NAMES
from tests.raw_tables import declared

WINDOW = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
DAY = PartitionKey("timestamp", exp.DataType.build("varchar"), "%Y/%m/%d")


def checked(
    columns: Mapping[str, exp.DataType], layout: str = "aws", *keys: PartitionKey, **more: object
) -> TableCheck:
    """A table of events with these columns, looked at."""
    engine = FarEngine({"cloudtrail_events": TABLES["cloudtrail_events"].arrow.empty_table()})
    stored = StoredTable(
        ("logs", "trail"), layout, {**columns, **{k.name: k.type for k in keys}}, keys, "s3://b/AWSLogs/"
    )
    engine.tables = Tables({"cloudtrail_events": stored})
    engine.sources = type(engine.sources)(engine.tables)
    remote = Remote(engine, _sizes={("cloudtrail_events", WINDOW): Estimate(5_000_000_000, 12)} | dict(more))  # type: ignore[arg-type]
    [found] = check(remote, WINDOW)
    return found


def test_a_table_with_everything_is_ready() -> None:
    found = checked(declared("aws"), "aws", DAY)
    assert (found.layout, found.lacking, found.problems) == ("aws", (), ())
    assert found.estimate == "at most 5.0 GB in 12 objects: $0.0250"
    assert "ready" in as_text([found], WINDOW)


def test_what_an_older_table_lacks_is_named_to_the_member() -> None:
    found = checked(
        declared(
            "aws", without=["tlsdetails", "useridentity.onbehalfof", "useridentity.sessioncontext.sourceidentity"]
        ),
        "aws",
        DAY,
    )
    assert found.lacking == ("useridentity.onbehalfof", "useridentity.sessioncontext.sourceidentity", "tlsdetails")
    assert "lacks         useridentity.onbehalfof, " in as_text([found], WINDOW)


def test_columns_in_their_names_of_2019_are_not_lacking() -> None:
    columns = {OLD_NAMES.get(name, name): kind for name, kind in source("flow_records", "aws").columns.items()}
    engine = FarEngine({"flow_records": TABLES["flow_records"].arrow.empty_table()})
    engine.tables = Tables({"flow_records": StoredTable(("logs", "flows"), "aws", columns)})
    [found] = check(Remote(engine, _sizes={("flow_records", WINDOW): Estimate(1, 1)}), WINDOW)
    assert found.lacking == ()


def test_a_table_without_what_every_event_needs_cannot_be_read() -> None:
    found = checked(declared("aws", without=["eventtime"]), "aws", DAY)
    assert not found.is_readable
    assert "has no column eventtime, which every record needs" in found.problems[0]


def test_a_table_without_days_is_dear() -> None:
    assert "No partition key is a day" in checked(declared("aws")).problems[0]


def test_a_window_without_objects_is_said() -> None:
    engine = FarEngine({"cloudtrail_events": TABLES["cloudtrail_events"].arrow.empty_table()})
    remote = Remote(engine, _sizes={("cloudtrail_events", WINDOW): Estimate(0, 0)})
    assert any("There are no objects of 2026-11-02" in problem for problem in check(remote, WINDOW)[0].problems)


def test_a_table_that_is_none_is_told_beside_the_other(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    class Broken(dict[str, StoredTable]):
        def __getitem__(self, table: str) -> StoredTable:
            raise EngineError("Athena has no table logs.trail.")

    engine = FarEngine({"cloudtrail_events": TABLES["cloudtrail_events"].arrow.empty_table()})
    engine.tables = Tables(Broken(engine.tables.stored))
    monkeypatch.setattr(opening, "connect", lambda *_: engine)
    said = command("athena", "check")
    assert said.code == 3
    assert "cloudtrail_events: cannot be read\n  !  Athena has no table logs.trail." in said.out
    assert engine.asked == [], "nothing is scanned"
