"""The tables that Athena and Trino hold: what they are called, what columns they have, how they are partitioned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from auditkit.errors import EngineError

LAYOUTS = ("store", "aws", "security_lake")

# Columns, lower case, that only a table of the layout has.
_TELLTALES = {
    "cloudtrail_events": {
        "store": {"event_id", "event_time", "principal_arn"},
        "aws": {"eventid", "eventtime", "eventname"},
        "security_lake": {"class_uid", "api", "actor"},
    },
    "flow_records": {
        "store": {"start_time", "end_time", "interface_id"},
        "aws": {"start", "end"},
        "security_lake": {"class_uid", "src_endpoint", "traffic"},
    },
}


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """A column that is a folder. `day_format` says how a key of days spells them, where the table tells: `%Y/%m/%d`."""

    name: str
    type: exp.DataType
    day_format: str | None = None
    is_injected: bool = False  # Athena's word for a key whose values every query has to name


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One table of an engine that holds events or flow records, in the *layout* that queries/sources/ knows."""

    name: tuple[str, ...]  # catalog, schema, table, as far as they are needed
    layout: str
    columns: Mapping[str, exp.DataType]  # partition keys included, names in lower case
    partitions: tuple[PartitionKey, ...] = ()
    location: str | None = None  # s3://bucket/prefix, where the engine tells

    def __str__(self) -> str:
        return ".".join(self.name)


@dataclass(frozen=True, slots=True)
class Limits:
    """What else of the tables is read, beside the window. Empty: all."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """Which tables stand for cloudtrail_events and flow_records; one that is not there is not asked."""

    stored: Mapping[str, StoredTable] = field(default_factory=dict)
    limits: Limits = Limits()


def layout_of(table: str, columns: Iterable[str], *, name: str) -> str:
    """The layout of *name*, a table with these columns that is to be read as *table*. Raises: EngineError."""
    has = {column.lower() for column in columns}
    for layout, telltales in _TELLTALES[table].items():
        if telltales <= has:
            return layout
    raise EngineError(
        f"{name} is no table of {table} that auditkit knows: it has neither the columns of the AWS documentation, nor "
        f"those of Security Lake, nor those of an auditkit store. `auditkit athena ddl` prints a table that fits."
    )
