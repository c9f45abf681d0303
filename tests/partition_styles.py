"""The ways in which tables of logs are divided into folders, by AWS's documentation and by common practice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlglot import exp

from auditkit.engines.tables import PartitionKey

ACCOUNT, REGION = "111122223333", "eu-central-1"


@dataclass(frozen=True)
class Style:
    """Partition keys, and what they say of the folder of an hour."""

    keys: tuple[PartitionKey, ...]
    spell: Callable[[datetime], dict[str, Any]]
    is_by_day: bool = True

    def folders(self, day: date) -> list[dict[str, Any]]:
        """Of one day: one, or 24."""
        midnight = datetime(day.year, day.month, day.day)
        spelled = [self.spell(midnight + timedelta(hours=hour)) for hour in range(24)]
        return spelled if spelled[0] != spelled[1] else spelled[:1]


def _key(name: str, kind: str = "varchar", form: str | None = None, *, injected: bool = False) -> PartitionKey:
    return PartitionKey(name, exp.DataType.build(kind, dialect="trino"), form, injected)


def _one(name: str, form: str, kind: str = "varchar", *, tells: bool = True, injected: bool = False) -> Style:
    """One key of days in that form; *tells*: the table's properties say the form."""

    def value(hour: datetime) -> Any:
        if kind == "date":
            return hour.date()
        return int(hour.strftime(form)) if kind != "varchar" else hour.strftime(form)

    return Style((_key(name, kind, form if tells else None, injected=injected),), lambda hour: {name: value(hour)})


def _parts(names: str, kind: str = "varchar", *, form: str = "02", more: dict[str, str] | None = None) -> Style:
    """Keys of the year, the month, the day and the hour."""

    def spell(hour: datetime) -> dict[str, Any]:
        numbers = {name: getattr(hour, name) for name in names.split()}
        if kind != "varchar":
            return (more or {}) | numbers
        return (more or {}) | {name: f"{number:{form}}" for name, number in numbers.items()}

    others = tuple(_key(name) for name in more or {})
    return Style((*others, *(_key(name, kind) for name in names.split())), spell)


_INJECTED = _key("accid", injected=True)
STYLES = {
    "projected timestamp": _one("timestamp", "%Y/%m/%d"),
    "projected day": _one("day", "%Y/%m/%d"),
    "projected date": _one("date", "%Y-%m-%d"),
    "projected under another name": _one("folder", "%Y/%m/%d"),
    "projected hours": _one("datehour", "%Y/%m/%d/%H"),
    "projected, the day first": _one("dt", "%d-%m-%Y"),
    "projected, the day first, hours": _one("dt", "%d-%m-%Y-%H"),
    "injected days": _one("day", "%Y/%m/%d", injected=True),
    "date": _one("date", "%Y-%m-%d", "date"),
    "date under another name": _one("folder", "%Y-%m-%d", "date"),
    "injected dates": _one("date", "%Y-%m-%d", "date", injected=True),
    "text, slashes": _one("day", "%Y/%m/%d", tells=False),
    "text, dashes": _one("dt", "%Y-%m-%d", tells=False),
    "text, digits": _one("eventday", "%Y%m%d", tells=False),
    "number": _one("dt", "%Y%m%d", "integer", tells=False),
    "wide number": _one("event_day", "%Y%m%d", "bigint", tells=False),
    "parts": _parts("year month day"),
    "parts without zeros": _parts("year month day", form=""),
    "parts as numbers": _parts("year month day", "integer"),
    "parts and hours": _parts("year month day hour"),
    "Hive": _parts(
        "year month day hour",
        more={"aws-account-id": ACCOUNT, "aws-service": "vpcflowlogs", "aws-region": REGION},
    ),
    "an organization": _parts("year month day", more={"account": ACCOUNT, "region": REGION}),
    "an account to be named": Style(
        (_INJECTED, *_one("day", "%Y/%m/%d").keys), lambda hour: {"accid": ACCOUNT, "day": hour.strftime("%Y/%m/%d")}
    ),
    "months": Style((_key("year"), _key("month")), lambda hour: {"year": f"{hour:%Y}", "month": f"{hour:%m}"}),
    "none": Style((), lambda _: {}, is_by_day=False),
}
