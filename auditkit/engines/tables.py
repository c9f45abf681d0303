"""The tables that Athena and Trino hold: what they are called, what columns they have, how they are partitioned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sqlglot import exp

from auditkit.errors import EngineError

LAYOUTS = ("store", "aws", "security_lake")

# Columns, lower case, that only a table of the layout has; of `aws`, in the documentation's new names or its old ones.
_TELLTALES: dict[str, tuple[tuple[str, set[str]], ...]] = {
    "cloudtrail_events": (
        ("store", {"event_id", "event_time", "principal_arn"}),
        ("aws", {"eventid", "eventtime", "eventname"}),
        ("security_lake", {"class_uid", "api", "actor"}),
    ),
    "flow_records": (
        ("store", {"start_time", "end_time", "interface_id"}),
        ("aws", {"start", "end", "log_status"}),
        ("aws", {"start", "end", "interface_id"}),
        ("aws", {"start", "end", "srcaddr"}),
        ("aws", {"start", "end", "action"}),
        ("aws", {"starttime", "endtime", "sourceaddress"}),
        ("aws", {"starttime", "endtime", "interfaceid"}),
        ("security_lake", {"class_uid", "src_endpoint", "traffic"}),
    ),
}
_OF_TRANSIT_GATEWAYS = {"tgw_id", "tgw_attachment_id", "resource_type"}  # records without an action


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


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Tables:
    """Which tables stand for cloudtrail_events and flow_records; one that is not there is not asked."""

    stored: Mapping[str, StoredTable] = field(default_factory=dict)
    limits: Limits = NO_LIMITS


class Described(Mapping[str, StoredTable]):
    """The named tables, each looked at when it is first needed: one that is missing hinders no question to another."""

    def __init__(self, names: Mapping[str, str | None], describe: Callable[[str, str], StoredTable]) -> None:
        self._names = {table: name for table, name in names.items() if name}
        self._describe = cache(describe)

    def __getitem__(self, table: str) -> StoredTable:
        """Raises: KeyError, when none is named; EngineError, when it cannot be read."""
        return self._describe(table, self._names[table])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def table_node(name: Sequence[str]) -> exp.Table:
    """The table called *name*, outermost part first, in quotes: any character can stand in it."""
    parts = [exp.to_identifier(part, quoted=True) for part in reversed(name)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), parts, strict=False)))


def layout_of(table: str, columns: Iterable[str], *, name: str) -> str:
    """The layout of *name*, a table with these columns that is to be read as *table*. Raises: EngineError."""
    has = {column.lower() for column in columns}
    if table == "flow_records" and _OF_TRANSIT_GATEWAYS & has:
        raise EngineError(
            f"{name} holds Transit Gateway flow logs, which have no action and show no reject. "
            "Name a table of VPC flow logs, or leave flow records out."
        )
    for layout, telltales in _TELLTALES[table]:
        if telltales <= has:
            return layout
    raise EngineError(
        f"{name} is no table of {table} that auditkit knows: it has neither the columns of the AWS documentation, nor "
        f"those of Security Lake, nor those of an auditkit store. `auditkit athena ddl` prints a table that fits."
    )
