"""What a table of Athena looks like, from the metadata that Athena keeps in the Glue Data Catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from pyathena.model import AthenaTableMetadata
from sqlglot import exp
from sqlglot.errors import SqlglotError

from auditkit.engines.day_formats import strftime
from auditkit.engines.partitions import days_of
from auditkit.engines.tables import PartitionKey, StoredTable, layout_of
from auditkit.errors import EngineError
from auditkit.model import Window

PATH = "$path"  # the object a row was read from: a column of every table, which no metadata lists
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", re.IGNORECASE)
_DAYS = {"YEAR": 365.25, "MONTH": 365.25 / 12, "WEEK": 7, "DAY": 1, "HOUR": 1 / 24, "MINUTE": 0, "SECOND": 0}


def described(table: str, name: tuple[str, ...], metadata: AthenaTableMetadata) -> StoredTable:
    """The table called *name*, to be read as *table*. Raises: EngineError, when it is no such table."""
    keys = {str(key.name).lower(): str(key.type) for key in metadata.partition_keys}
    columns = {str(column.name).lower(): str(column.type) for column in metadata.columns} | keys
    types = {column: _trino_type(kind) for column, kind in columns.items()}
    layout = layout_of(table, types, name=".".join(name))
    if metadata.table_type != "VIRTUAL_VIEW":
        types[PATH] = exp.DataType.build("varchar")
    properties = projection(metadata)
    partitions = tuple(_key(key, types[key], properties) for key in keys)
    return StoredTable(name, layout, types, partitions, _location(metadata, properties))


def _trino_type(hive: str) -> exp.DataType:
    """Hive's name of a type, as Glue keeps it, as Trino's: `struct<a:string>` is `row(a varchar)`."""
    try:
        kind = exp.DataType.build(hive, dialect="hive")
    except SqlglotError:
        return exp.DataType(this=exp.DType.UNKNOWN)
    for node in kind.find_all(exp.DataType):
        if node.this == exp.DType.TEXT:
            node.set("this", exp.DType.VARCHAR)
    return kind


def projection(metadata: AthenaTableMetadata) -> Mapping[str, str]:
    """The properties that make partitions up instead of having them listed; none, when it is not enabled."""
    properties = {name.lower(): value for name, value in metadata.parameters.items()}
    return properties if properties.get("projection.enabled", "").lower() == "true" else {}


def _key(name: str, kind: exp.DataType, properties: Mapping[str, str]) -> PartitionKey:
    spelled = properties.get(f"projection.{name}.format")
    return PartitionKey(
        name,
        kind,
        day_format=strftime(spelled) if spelled else None,
        is_injected=properties.get(f"projection.{name}.type", "").lower() == "injected",
    )


def _location(metadata: AthenaTableMetadata, properties: Mapping[str, str]) -> str | None:
    """Where the objects are. A template of projection wins over LOCATION, which Athena does not read then."""
    template = properties.get("storage.location.template")
    return template.partition("${")[0].rpartition("/")[0] + "/" if template else metadata.location


def missing(name: tuple[str, ...], known: Iterable[str]) -> EngineError:
    """The error to raise for a table that is not there, among the *known* tables of its database."""
    known = sorted(known)
    close = get_close_matches(name[-1], known, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(close)}?" if close else ""
    if known and not close:
        hint = f" The database has {', '.join(known[:5])}{' …' if len(known) > 5 else ''}."
    return EngineError(
        f"Athena has no table {'.'.join(name)}.{hint} Name it as DATABASE.TABLE; `auditkit athena ddl` prints the "
        "statement that makes one."
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """Days of a window for which a table makes up no partitions: Athena finds nothing there, and does not say so."""

    said: str
    is_whole: bool  # all of the window


def gap(table: StoredTable, properties: Mapping[str, str], window: Window, now: datetime) -> Gap | None:
    """What of *window* lies outside of the ranges in the projection *properties* of *table*, if anything."""
    if window.start is None or window.end is None:
        return None
    for key in table.partitions:
        name = f"projection.{key.name}.range"
        if name in properties and (bounds := _bounds(key, properties[name], now)):
            days = days_of(window)
            first, last = bounds
            whole = days[-1] < first or days[0] > last
            ends = (window.end - timedelta(microseconds=1)).astimezone(UTC).date()
            if whole or days[0] < first or (ends > last and "NOW" not in properties[name].upper()):
                return Gap(_said(table, name, properties[name], window, whole), whole)
    return None


def _said(table: StoredTable, name: str, spelled: str, window: Window, whole: bool) -> str:
    part = "nothing of" if whole else "not all of"
    return (
        f"The partitions of {table} range over {spelled} ({name}), and {part} {window} lies in that: Athena finds no "
        f"rows outside of it, and does not say so. Set {name} to a wider range with ALTER TABLE … SET TBLPROPERTIES."
    )


def _bounds(key: PartitionKey, spelled: str, now: datetime) -> tuple[date, date] | None:
    """First and last day of a range such as `2020/01/01,NOW`. None, when it is not one of days or years."""
    sides = [side.strip() for side in spelled.split(",")]
    try:
        if key.name == "year":
            return date(int(sides[0]), 1, 1), date(int(sides[1]), 12, 31)
        if key.day_format:
            first, last = (_day(side, key.day_format, now) for side in sides)
            return first, last
    except (ValueError, OverflowError):
        pass  # Athena's to complain about
    return None


def _day(spelled: str, day_format: str, now: datetime) -> date:
    if not (found := _NOW.fullmatch(spelled)):
        return datetime.strptime(spelled, day_format).date()
    moved = timedelta(days=int(found[2]) * _DAYS[found[3].upper()]) if found[1] else timedelta()
    return (now - moved if found[1] == "-" else now + moved).date()
