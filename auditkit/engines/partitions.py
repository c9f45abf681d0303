"""Which partitions a window can touch, as a condition that an engine understands before it opens a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from itertools import groupby

from sqlglot import exp

from auditkit.engines.tables import Limits, PartitionKey, StoredTable
from auditkit.errors import EngineError, WindowError
from auditkit.model import Window

SLACK = timedelta(days=1)  # folders are days of delivery: never before an event, up to a day after it
MOST_DAYS = 1_000  # spelled out one by one
_ACCOUNT_KEYS = {"account", "accountid", "account_id", "accid", "aws_account_id", "aws-account-id", "aws_account"}
_REGION_KEYS = {"region", "aws_region", "aws-region", "awsregion", "region_name"}
_SPELLINGS = ("%Y/%m/%d", "%Y-%m-%d", "%Y%m%d")
_YEAR, _MONTH, _DAY = "year", "month", "day"


def within(table: StoredTable, window: Window, limits: Limits) -> exp.Expr:
    """A condition on the partition keys of *table*: the days of *window* and one after them, and the *limits*.

    Raises: WindowError, for a window that is open; EngineError, for a key whose values have to be named and are not.
    """
    days = days_of(window)
    keys = {key.name: key for key in table.partitions}
    conditions = [*_in_days(keys, days)]
    for names, values, option in (
        (_ACCOUNT_KEYS, limits.accounts, "--accounts"),
        (_REGION_KEYS, limits.regions, "--regions"),
    ):
        for name, key in keys.items():
            if name in names and values:
                conditions.append(_column(key).isin(*(exp.Literal.string(value) for value in values)))
            elif name in names and key.is_injected:
                raise EngineError(
                    f"{table} is partitioned by {name}, whose values a query has to name. Name them: {option} A,B."
                )
    return exp.and_(*conditions) if conditions else exp.true()


def days_of(window: Window) -> list[date]:
    """The days whose folders *window* can touch. Raises: WindowError, for a window that is open or very long."""
    if window.start is None or window.end is None:
        raise WindowError("Athena and Trino are asked about a window with two sides. Add --since and --until.")
    first, last = window.start.astimezone(UTC).date(), window.end.astimezone(UTC).date() + SLACK
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if len(days) > MOST_DAYS:
        raise WindowError(f"The window has {len(days):,} days; at most {MOST_DAYS:,} can be asked for at once.")
    return days


def is_by_day(table: StoredTable) -> bool:
    """Whether *table* has keys that keep a query from reading days it does not ask for."""
    return bool(list(_in_days({key.name: key for key in table.partitions}, [date(2026, 1, 1)])))


def _in_days(keys: dict[str, PartitionKey], days: Sequence[date]) -> Iterator[exp.Expr]:
    if {_YEAR, _MONTH, _DAY} <= keys.keys():
        yield exp.or_(*_months(keys, days))
        return
    for name, key in keys.items():
        if key.type.is_type(exp.DType.DATE) or key.day_format:
            first, last = (_spelled(key, day) for day in (days[0], days[-1]))
            yield exp.Between(this=_column(key), low=first, high=last)
        elif name in ("timestamp", "day", "date", "dt", "eventday", "event_day", "event_date"):
            spelled = sorted({day.strftime(spelling) for day in days for spelling in _SPELLINGS})
            yield _column(key).isin(*(_value(key, text) for text in spelled if _fits(key, text)))


def _months(keys: dict[str, PartitionKey], days: Sequence[date]) -> Iterator[exp.Expr]:
    """Year, month and days of each month that is touched; of a month that is touched whole, no days."""
    for (year, month), some in groupby(days, key=lambda day: (day.year, day.month)):
        numbers = [day.day for day in some]
        yield exp.and_(
            _column(keys[_YEAR]).eq(_value(keys[_YEAR], f"{year}")),
            _in(keys[_MONTH], [month]),
            _in(keys[_DAY], numbers),
        )


def _in(key: PartitionKey, numbers: Sequence[int]) -> exp.Expr:
    """Months or days, which text may spell with and without a zero in front."""
    spelled = [f"{number:02}" for number in numbers]
    if key.type.is_type(*exp.DataType.TEXT_TYPES):
        spelled = sorted({*spelled, *map(str, numbers)})
    return _column(key).isin(*(_value(key, text) for text in spelled))


def _column(key: PartitionKey) -> exp.Column:
    return exp.column(exp.to_identifier(key.name, quoted=True))


def _spelled(key: PartitionKey, day: date) -> exp.Expr:
    if key.type.is_type(exp.DType.DATE):
        return exp.cast(exp.Literal.string(day.isoformat()), exp.DType.DATE)
    return _value(key, day.strftime(key.day_format or "%Y%m%d"))


def _value(key: PartitionKey, text: str) -> exp.Expr:
    if key.type.is_type(*exp.DataType.INTEGER_TYPES):
        return exp.Literal.number(str(int(text)))
    return exp.Literal.string(text)


def _fits(key: PartitionKey, text: str) -> bool:
    return text.isdigit() or not key.type.is_type(*exp.DataType.INTEGER_TYPES)
