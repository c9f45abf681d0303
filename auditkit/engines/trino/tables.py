"""What a table of Trino looks like, asked in Trino's own SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

from auditkit.engines.day_formats import strftime
from auditkit.engines.partitions import with_spellings
from auditkit.engines.tables import PartitionKey, StoredTable, layout_of, table_node
from auditkit.errors import EngineError, QueryError
from auditkit.resources import QUERIES

HIDDEN = ("$path",)  # columns that DESCRIBE leaves out; only some connectors have them
_PROPERTY = re.compile(r"\b(partition_projection_\w+)\s*=\s*'([^']*)'")
_LOCATION = re.compile(r"\b(?:external_location|location)\s*=\s*'([^']*)'")

Ask = Callable[[exp.Expr], list[list[Any]]]  # Raises: EngineError, QueryError


def described(table: str, name: tuple[str, ...], ask: Ask) -> StoredTable:
    """The table called *name*, to be read as *table*. Raises: EngineError."""
    rows = ask(exp.Describe(this=table_node(name)))
    columns = {str(row[0]).lower(): exp.DataType.build(str(row[1]), dialect="trino") for row in rows}
    layout = layout_of(table, columns, name=".".join(name))
    keys = [str(row[0]).lower() for row in rows if "partition key" in str(row[2] or "")]
    declared = _declared(name, ask) if keys else ""
    properties = dict(_by_column(declared))
    partitions = tuple(_key(key, columns[key], properties.get(key, {})) for key in keys)
    location = _LOCATION.search(declared)
    hidden = {column: exp.DataType.build("varchar") for column in HIDDEN if _has(name, column, ask)}
    found = StoredTable(name, layout, columns | hidden, partitions, location[1] if location else None)
    return with_spellings(found, ask)


def _declared(name: tuple[str, ...], ask: Ask) -> str:
    """What SHOW CREATE TABLE says; nothing, to a user who may not ask for it."""
    written = (QUERIES / "frames" / "table_declared.sql").read_text(encoding="utf-8").splitlines()[-1]
    try:
        return str(ask(exp.Command(this=written.replace(":table", table_node(name).sql("trino"))))[0][0])
    except EngineError:
        return ""


def _by_column(declared: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The projection properties of each column of a CREATE TABLE, a column a line."""
    for line in declared.splitlines():
        if found := dict(_PROPERTY.findall(line)):
            yield line.strip().split(" ")[0].strip('"').lower(), found


def _key(name: str, kind: exp.DataType, properties: dict[str, str]) -> PartitionKey:
    spelled = properties.get("partition_projection_format")
    return PartitionKey(
        name,
        kind,
        day_format=strftime(spelled) if spelled else None,
        is_injected=properties.get("partition_projection_type", "").lower() == "injected",
    )


def _has(name: tuple[str, ...], column: str, ask: Ask) -> bool:
    quoted = exp.column(exp.to_identifier(column, quoted=True))
    try:
        ask(exp.select(quoted).from_(table_node(name)).where(exp.false()))
    except QueryError:  # COLUMN_NOT_FOUND
        return False
    return True
