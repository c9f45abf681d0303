"""The condition on folders lets through the days of the window and the one after, in every way of making folders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from auditkit.engines.partitions import MOST_DAYS, days_of, is_by_day, within
from auditkit.engines.tables import Limits, PartitionKey, StoredTable
from auditkit.errors import EngineError, WindowError
from auditkit.model import Window
from tests.partition_styles import ACCOUNT, REGION, STYLES, Style

NAMED = Limits((ACCOUNT,), (REGION,))
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CONNECTION = duckdb.connect()


def table(*keys: PartitionKey, layout: str = "aws", **columns: str) -> StoredTable:
    kinds = {name: exp.DataType.build(kind, dialect="trino") for name, kind in columns.items()}
    return StoredTable(("db", "logs"), layout, kinds | {key.name: key.type for key in keys}, keys)


def key(name: str, kind: str = "varchar", form: str | None = None, *, injected: bool = False) -> PartitionKey:
    return PartitionKey(name, exp.DataType.build(kind, dialect="trino"), form, injected)


def condition(*keys: PartitionKey, limits: Limits = NAMED, start: datetime = NOON, end: datetime | None = None) -> str:
    window = Window(start, end or start + timedelta(hours=1))
    return within(table(*keys), window, limits).sql("trino")


def let_through(style: Style, days: Sequence[date], window: Window) -> list[date]:
    """Of the folders of these days, the days of those that the condition lets through."""
    folders = [{"of": day} | folder for day in days for folder in style.folders(day)]
    CONNECTION.register("folders", pa.Table.from_pylist(folders))
    where = within(table(*style.keys), window, NAMED).sql("duckdb")
    found = CONNECTION.sql(f'SELECT "of", count(*) FROM folders WHERE {where} GROUP BY "of" ORDER BY "of"').fetchall()
    assert {count for _, count in found} == {len(style.folders(NOON.date()))}, "some of a day's hours are let through"
    return [day for day, _ in found]


MOMENTS = st.datetimes(datetime(1999, 12, 1), datetime(2031, 1, 1), timezones=st.just(UTC))
LENGTHS = st.timedeltas(timedelta(microseconds=1), timedelta(days=40))


@pytest.mark.parametrize("style", [style for style in STYLES.values() if style.is_by_day], ids=[name for name, style in STYLES.items() if style.is_by_day])  # fmt: skip
@settings(max_examples=10, deadline=None)
@given(start=MOMENTS, length=LENGTHS)
def test_the_days_of_the_window_and_the_one_after_are_let_through_and_no_other(
    style: Style, start: datetime, length: timedelta
) -> None:
    window = Window(start, start + length)
    wanted = [start.date() + timedelta(days=n) for n in range(days_between(start, start + length) + 2)]
    around = [wanted[0] - timedelta(days=n) for n in (400, 366, 365, 31, 30, 3, 2, 1)]
    around += [*wanted, *(wanted[-1] + timedelta(days=n) for n in (1, 2, 3, 30, 31, 365, 366, 400))]
    assert let_through(style, around, window) == (months_of(wanted, around) if style is STYLES["months"] else wanted)


def days_between(start: datetime, end: datetime) -> int:
    """How many midnights are in the window behind its start."""
    return ((end - timedelta(microseconds=1)).date() - start.date()).days


def months_of(wanted: Sequence[date], among: Sequence[date]) -> list[date]:
    months = {(day.year, day.month) for day in wanted}
    return [day for day in among if (day.year, day.month) in months]


def test_a_day_is_one_of_utc() -> None:
    start = datetime.fromisoformat("2026-11-02T00:30:00+02:00")
    assert days_of(Window(start, start + timedelta(hours=1))) == [date(2026, 11, 1), date(2026, 11, 2)]


def test_the_end_of_the_window_is_not_in_it() -> None:
    midnight = datetime(2026, 11, 3, tzinfo=UTC)
    assert days_of(Window(NOON, midnight)) == [date(2026, 11, 2), date(2026, 11, 3)]
    assert days_of(Window(NOON, midnight + timedelta(microseconds=1)))[-1] == date(2026, 11, 4)


@pytest.mark.parametrize("window", [Window(), Window(NOON, None), Window(None, NOON)])
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_an_open_window_is_refused_for_every_table(style: Style, window: Window) -> None:
    with pytest.raises(WindowError, match="a window with two sides"):
        within(table(*style.keys), window, NAMED)


def test_a_window_of_years_is_refused() -> None:
    days_of(Window(NOON, NOON + timedelta(days=MOST_DAYS - 2)))
    with pytest.raises(WindowError, match=r"The window has 1,001 days; at most 1,000"):
        days_of(Window(NOON, NOON + timedelta(days=MOST_DAYS - 1)))


# Words for the engine: what it sees is a comparison of the key itself with constants, or it would list every folder.


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([key("day", form="%Y/%m/%d")], "\"day\" BETWEEN '2026/11/02' AND '2026/11/03'"),
        ([key("hour", form="%Y/%m/%d/%H")], "\"hour\" BETWEEN '2026/11/02/00' AND '2026/11/03/23'"),
        ([key("minute", form="%Y%m%d%H%M")], "\"minute\" BETWEEN '202611020000' AND '202611032359'"),
        ([key("date", "date")], "\"date\" BETWEEN CAST('2026-11-02' AS DATE) AND CAST('2026-11-03' AS DATE)"),
        ([key("date", "date", "%Y-%m-%d")], "\"date\" BETWEEN CAST('2026-11-02' AS DATE) AND CAST('2026-11-03' AS DATE)"),
        ([key("dt", "integer")], '"dt" IN (20261102, 20261103)'),
        ([key("dt", "integer", "%Y%m%d")], '"dt" BETWEEN 20261102 AND 20261103'),
        ([key("dt")], "\"dt\" IN ('2026-11-02', '2026-11-03', '2026/11/02', '2026/11/03', '20261102', '20261103')"),
        ([key("dt", form="%d.%m.%Y")], "\"dt\" IN ('02.11.2026', '03.11.2026')"),
        ([key("day", form="%Y/%m/%d", injected=True)], "\"day\" IN ('2026/11/02', '2026/11/03')"),
        ([key("date", "date", injected=True)], "\"date\" IN (CAST('2026-11-02' AS DATE), CAST('2026-11-03' AS DATE))"),
        ([key("year"), key("month"), key("day")], "\"year\" = '2026' AND \"month\" IN ('11') AND \"day\" IN ('02', '03', '2', '3')"),
        ([key("year", "integer"), key("month", "integer"), key("day", "integer")], '"year" = 2026 AND "month" IN (11) AND "day" IN (2, 3)'),
        ([key("year"), key("month")], "\"year\" = '2026' AND \"month\" IN ('11')"),
        ([key("aws-account-id"), key("aws-region")], f"\"aws-account-id\" IN ('{ACCOUNT}') AND \"aws-region\" IN ('{REGION}')"),
        ([key("account", "bigint")], f'"account" IN ({ACCOUNT})'),
        ([key("region"), key("date", "date")], f"\"date\" BETWEEN CAST('2026-11-02' AS DATE) AND CAST('2026-11-03' AS DATE) AND \"region\" IN ('{REGION}')"),
        ([], "TRUE"),
        ([key("hour")], "TRUE"),
        ([key("aws-service")], "TRUE"),
        ([key("month"), key("day")], "TRUE"),  # a day beside a month is a number, and of no year
    ],
)  # fmt: skip
def test_a_key_is_compared_with_constants(keys: list[PartitionKey], said: str) -> None:
    assert condition(*keys) == said


def test_months_are_told_apart() -> None:
    eve = datetime(2026, 12, 31, 12, tzinfo=UTC)
    parts = [key("year"), key("month"), key("day")]
    assert condition(*parts, start=eve) == (
        "(\"year\" = '2026' AND \"month\" IN ('12') AND \"day\" IN ('31'))"
        " OR (\"year\" = '2027' AND \"month\" IN ('01', '1') AND \"day\" IN ('01', '1'))"
    )
    both = condition(*parts, key("account"), start=eve)
    assert both == f"({condition(*parts, start=eve)}) AND \"account\" IN ('{ACCOUNT}')"


def test_without_limits_only_the_days_are_said() -> None:
    keys = [key("aws-account-id"), key("aws-region"), key("day", form="%Y/%m/%d")]
    assert condition(*keys, limits=Limits()) == condition(keys[-1])


@pytest.mark.parametrize(("name", "option"), [("accountid", "--accounts"), ("aws_region", "--regions")])
def test_a_key_whose_values_have_to_be_named_is_asked_for(name: str, option: str) -> None:
    with pytest.raises(EngineError, match=rf"db\.logs is partitioned by {name}, .*: {option} A,B"):
        condition(key(name, injected=True), limits=Limits())


def test_an_account_that_is_no_number_is_in_no_folder_of_numbers() -> None:
    assert condition(key("account", "bigint"), limits=Limits(("a",), ())) == "FALSE"


def test_hostile_values_stay_values() -> None:
    said = condition(key("account"), limits=Limits(("' OR 1=1 --",), ()))
    assert said == "\"account\" IN (''' OR 1=1 --')"


def test_security_lake_is_divided_by_columns_that_are_no_keys() -> None:
    columns: Any = {"accountid": "varchar", "region": "varchar", "time_dt": "timestamp(6)"}
    window = Window(NOON, NOON + timedelta(hours=1))
    said = within(table(layout="security_lake", **columns), window, NAMED).sql("trino")
    assert said == f"\"accountid\" IN ('{ACCOUNT}') AND \"region\" IN ('{REGION}')"
    assert within(table(**columns), window, NAMED).sql("trino") == "TRUE"


def test_a_table_tells_whether_its_folders_are_days() -> None:
    assert [name for name, style in STYLES.items() if is_by_day(table(*style.keys)) != style.is_by_day] == []
