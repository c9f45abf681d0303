"""Values through the statement and back: whatever they are, they come back as they went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.engines.athena.engine import AthenaEngine
from auditkit.model import Parameter, Value, Window
from tests.athena.conftest import Engines, Lab
from tests.cases import cloudtrail_events

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["'", "''", "\\'", "' OR 1=1 --", '"', ";", "--", "/*", "{}", "%s", ":name", "?", "[a, b]", "\r\n", "﻿", "NULL", ""]
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=ZONES)


@pytest.fixture
def engine(engine_with: Engines) -> Iterator[AthenaEngine]:
    return engine_with(poll_interval_s=0.002)


def came_back(engine: AthenaEngine, kind: str, value: Value) -> Value:
    (row,) = engine.run("SELECT :value AS value", {"value": Parameter(kind, value)}, window=NOVEMBER).table.to_pylist()
    found: Value = row["value"]
    return found


@QUICK
@given(TEXTS)
def test_text(engine: AthenaEngine, text: str) -> None:
    assert came_back(engine, "varchar", text) == text


@QUICK
@given(st.lists(TEXTS, max_size=6))
def test_lists_of_text(engine: AthenaEngine, texts: list[str]) -> None:
    assert came_back(engine, "array(varchar)", list(texts)) == texts


@QUICK
@given(TIMES)
def test_times_are_the_same_moment(engine: AthenaEngine, moment: datetime) -> None:
    found = came_back(engine, "timestamp", moment)
    assert isinstance(found, datetime)
    assert found.replace(tzinfo=UTC) == moment


@QUICK
@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_whole_numbers(engine: AthenaEngine, number: int) -> None:
    assert came_back(engine, "bigint", number) == number


@QUICK
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_fractions(engine: AthenaEngine, number: float) -> None:
    assert came_back(engine, "double", number) == number


@pytest.mark.parametrize("kind", ["varchar", "bigint", "double", "boolean", "timestamp"])
def test_null_has_its_type(engine: AthenaEngine, kind: str) -> None:
    assert came_back(engine, kind, None) is None


@settings(QUICK, max_examples=15)
@given(st.lists(TEXTS, min_size=1, max_size=6, unique=True), st.data())
def test_in_finds_exactly_those_of_its_list(
    lab: Lab, engine: AthenaEngine, names: list[str], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(names), unique=True))
    lab.hold("cloudtrail_events", cloudtrail_events([{"event_name": name} for name in names]))
    sql = "SELECT event_name FROM cloudtrail_events WHERE event_name IN (:wanted) ORDER BY event_id"
    lab.athena.executions.clear()  # an answer from before would be used again
    found = engine.run(sql, {"wanted": Parameter("array(varchar)", list(wanted))}, window=NOVEMBER).table
    assert found["event_name"].to_pylist() == [name for name in names if name in wanted]
