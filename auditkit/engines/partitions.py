"""Which partitions a window can touch, as a condition that an engine understands before it opens a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlglot import exp

from auditkit.engines.day_formats import seen_in
from auditkit.engines.tables import Limits, PartitionKey, StoredTable, table_node
from auditkit.errors import EngineError, WindowError
from auditkit.model import Window

SLACK = timedelta(days=1)  # folders are days of delivery: never before an event, up to a day after it
MOST_DAYS = 1_000  # spelled out one by one
_ACCOUNT_KEYS = {"account", "accountid", "account_id", "accid", "aws_account_id", "aws-account-id", "aws_account"}
_REGION_KEYS = {"region", "aws_region", "aws-region", "awsregion", "region_name"}
_DAY_KEYS = {"timestamp", "day", "date", "dt", "eventday", "event_day", "event_date"}
_SPELLINGS = ("%Y/%m/%d", "%Y-%m-%d", "%Y%m%d")  # of days in keys that do not tell
_YEAR, _MONTH, _DAY = "year", "month", "day"
_SORTED = re.compile(r"%Y\W?%m\W?%d(\W?%H(\W?%M)?)?")  # text in the order of time


def within(table: StoredTable, window: Window, limits: Limits) -> exp.Expr:
    """A condition on the partition keys of *table*: the days of *window* and one after them, and the *limits*.

    Raises: WindowError, for a window that is open; EngineError, for a key whose values have to be named and are not.
    """
    conditions = [*_in_days(_keys(table), days_of(window))]
    for names, values, option in (
        (_ACCOUNT_KEYS, limits.accounts, "--accounts"),
        (_REGION_KEYS, limits.regions, "--regions"),
    ):
        for name, key in _keys(table).items():
            if name in names and values:
                conditions.append(_is_any(key, values))
            elif name in names and key.is_injected:
                raise EngineError(
                    f"{table} is partitioned by {name}, whose values a query has to name. Name them: {option} A,B."
                )
    return exp.and_(*conditions) if conditions else exp.true()


def days_of(window: Window) -> list[date]:
    """The days whose folders *window* can touch. Raises: WindowError, for a window that is open or very long."""
    if window.start is None or window.end is None:
        raise WindowError("Athena and Trino are asked about a window with two sides. Add --since and --until.")
    first = window.start.astimezone(UTC).date()
    last = (window.end.astimezone(UTC) - timedelta(microseconds=1)).date() + SLACK  # the end itself is not in it
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if len(days) > MOST_DAYS:
        raise WindowError(f"The window has {len(days):,} days; at most {MOST_DAYS:,} can be asked for at once.")
    return days


def is_by_day(table: StoredTable) -> bool:
    """Whether *table* has keys that keep a query from reading days, or months, that it does not ask for."""
    return next(_in_days(_keys(table), [date(2026, 1, 1)]), None) is not None


def with_spellings(table: StoredTable, ask: Callable[[exp.Select], Sequence[Sequence[Any]]]) -> StoredTable:
    """*table* with the form of days in keys that do not tell it, by what *ask* finds of its first partition.

    A guess would find no folder and say nothing.
    """
    keys = []
    for key in table.partitions:
        if key.name in _DAY_KEYS and not (key.day_format or key.type.is_type(exp.DType.DATE)) and not _has_parts(table):
            rows = ask(exp.select(_column(key)).from_(_of_partitions(table)).order_by(_column(key)).limit(1))
            key = replace(key, day_format=seen_in(str(rows[0][0])) if rows else None)
            if rows and key.day_format is None:
                raise EngineError(
                    f"{table} has days in its key {key.name}, spelled {str(rows[0][0])[:40]!r}, and auditkit cannot "
                    "tell how. Spell them 2026-11-02, or say the form with partition projection."
                )
        keys.append(key)
    return replace(table, partitions=tuple(keys))


def _has_parts(table: StoredTable) -> bool:
    """Whether it has keys of months or years beside, so that `day` is a number."""
    return bool({_YEAR, _MONTH} & {key.name for key in table.partitions})


def _of_partitions(table: StoredTable) -> exp.Table:
    """The table of its partitions that Athena and Trino have beside it."""
    *above, name = table.name
    return table_node((*above, f"{name}$partitions"))


def _keys(table: StoredTable) -> dict[str, PartitionKey]:
    """By name. Security Lake's tables are Iceberg's, which are partitioned by columns like any other."""
    lake = ("accountid", "region") if table.layout == "security_lake" else ()
    hidden = {name: PartitionKey(name, table.columns[name]) for name in lake if name in table.columns}
    return hidden | {key.name.lower(): key for key in table.partitions}


def _in_days(keys: Mapping[str, PartitionKey], days: Sequence[date]) -> Iterator[exp.Expr]:
    """A condition for each key of days; for keys of years and months, one for all of them."""
    if {_YEAR, _MONTH} <= keys.keys():
        yield exp.or_(*_months(keys, days))
        return
    for name, key in keys.items():
        if key.type.is_type(exp.DType.DATE) or key.day_format:
            yield _on_days(key, days)
        elif name in _DAY_KEYS and not {_YEAR, _MONTH} & keys.keys():  # beside them, a day is a number
            spelled = sorted({day.strftime(spelling) for day in days for spelling in _SPELLINGS})
            yield _is_any(key, spelled)


def _on_days(key: PartitionKey, days: Sequence[date]) -> exp.Expr:
    """From the first of the days to the last; each by itself, where text does not sort or Athena asks for that."""
    if key.type.is_type(exp.DType.DATE) and not key.is_injected:
        return exp.Between(this=_column(key), low=_date(days[0]), high=_date(days[-1]))
    if key.type.is_type(exp.DType.DATE):
        return _column(key).isin(*map(_date, days))
    form = key.day_format or ""
    if key.is_injected or not _SORTED.fullmatch(form):
        hours = range(24 if "%H" in form else 1)
        moments = [datetime.combine(day, time(hour)) for day in days for hour in hours]
        return _is_any(key, [moment.strftime(form) for moment in moments])
    last = datetime.combine(days[-1], time.max)  # a format with hours has more folders than one of that day
    return exp.Between(
        this=_column(key), low=_value(key, days[0].strftime(form)), high=_value(key, last.strftime(form))
    )


def _months(keys: Mapping[str, PartitionKey], days: Sequence[date]) -> Iterator[exp.Expr]:
    """Year and month of each month that is touched, and the days, where there is a key of them."""
    for (year, month), some in groupby(days, key=lambda day: (day.year, day.month)):
        parts = [_column(keys[_YEAR]).eq(_value(keys[_YEAR], f"{year}")), _in(keys[_MONTH], [month])]
        if _DAY in keys:
            parts.append(_in(keys[_DAY], [day.day for day in some]))
        yield exp.and_(*parts)


def _in(key: PartitionKey, numbers: Sequence[int]) -> exp.Expr:
    """Months or days, which text may spell with and without a zero in front."""
    spelled = [f"{number:02}" for number in numbers]
    if key.type.is_type(*exp.DataType.TEXT_TYPES):
        spelled = sorted({*spelled, *map(str, numbers)})
    return _is_any(key, spelled)


def _column(key: PartitionKey) -> exp.Column:
    return exp.column(exp.to_identifier(key.name, quoted=True))


def _date(day: date) -> exp.Expr:
    return exp.cast(exp.Literal.string(day.isoformat()), exp.DType.DATE)


def _is_any(key: PartitionKey, texts: Sequence[str]) -> exp.Expr:
    fitting = [_value(key, text) for text in texts if _fits(key, text)]
    return _column(key).isin(*fitting) if fitting else exp.false()


def _value(key: PartitionKey, text: str) -> exp.Expr:
    if key.type.is_type(*exp.DataType.INTEGER_TYPES):
        return exp.Literal.number(str(int(text)))
    return exp.Literal.string(text)


def _fits(key: PartitionKey, text: str) -> bool:
    return text.isdigit() or not key.type.is_type(*exp.DataType.INTEGER_TYPES)
