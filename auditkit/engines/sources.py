"""What a table is to a query: a SELECT of queries/sources/, which maps an engine's own table onto it inside the window.

A source reads `stored_<table>` and nothing else reads that. Its header lists the columns it takes from there; one that
a user's table lacks is NULL, so that older tables answer too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import sqlglot
import yaml
from sqlglot import exp

from auditkit.engines.binding import bind
from auditkit.engines.partitions import within
from auditkit.engines.tables import StoredTable, Tables
from auditkit.errors import EngineError
from auditkit.model import Parameter, Window
from auditkit.resources import QUERIES
from auditkit.schema import TABLES

STORED = "stored_"  # stored_cloudtrail_events is what an engine has; only the sources read it
OPEN_START = datetime.min.replace(tzinfo=UTC)
OPEN_END = datetime.max.replace(tzinfo=UTC)  # a hostile clock may say 9999


class Sources(Protocol):
    """Gives the SELECT that stands for a table."""

    def select(self, table: str, window: Window) -> exp.Query:
        """A tree of its own, for the caller to change."""
        ...

    def columns(self, table: str) -> tuple[str, Mapping[str, Any]]:
        """The name of the stored table that `select` reads, and the types of its columns."""
        ...


class StoreSources:
    """The store as DuckDB has it: `stored_<table>` is a view of its parts."""

    def select(self, table: str, window: Window) -> exp.Query:
        return bind(source(table, "store").select.copy(), _limits(window))

    def columns(self, table: str) -> tuple[str, Mapping[str, Any]]:
        return STORED + table, {column.name: column.type for column in TABLES[table].columns}


@dataclass(frozen=True)
class TableSources:
    """The tables that Athena or Trino has."""

    tables: Tables

    def select(self, table: str, window: Window) -> exp.Query:
        """Raises: EngineError, when there is no such table or it lacks what every event needs; WindowError."""
        stored = self.tables.stored.get(table)
        if stored is None:
            raise EngineError(f"No table of {table} was named. `auditkit athena ddl` prints one.")
        one = source(table, stored.layout)
        tree = _fitted(one, stored)
        condition = within(stored, window, self.tables.limits)
        for placeholder in list(tree.find_all(exp.Placeholder)):
            if placeholder.name == "within_partitions":
                placeholder.replace(condition.copy())
        names = {placeholder.name for placeholder in tree.find_all(exp.Placeholder)}
        bind(tree, {name: value for name, value in _limits(window).items() if name in names})
        return _of_accounts_and_regions(tree, table, self.tables)

    def columns(self, table: str) -> tuple[str, Mapping[str, Any]]:
        stored = self.tables.stored[table]
        return stored.name[-1], stored.columns


@dataclass(frozen=True)
class Source:
    """One file of queries/sources/."""

    title: str
    columns: Mapping[str, exp.DataType]  # what it takes from the stored table
    needs: tuple[str, ...]  # of these, what a table cannot do without
    select: exp.Query


@cache
def source(table: str, layout: str) -> Source:
    text = (QUERIES / "sources" / f"{table}.{layout}.sql").read_text(encoding="utf-8")
    lines = text.split("\n")
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    header = yaml.safe_load("\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:count]))
    columns = {name: exp.DataType.build(kind, dialect="trino") for name, kind in (header.get("columns") or {}).items()}
    select = sqlglot.parse_one("\n".join(lines[count:]), read="trino")
    assert isinstance(select, exp.Query)
    return Source(header["title"], columns, tuple(header.get("needs") or ()), select)


def _limits(window: Window) -> dict[str, Parameter]:
    return {
        "window_start": Parameter("timestamp", window.start or OPEN_START),
        "window_end": Parameter("timestamp", window.end or OPEN_END),
    }


def _of_accounts_and_regions(tree: exp.Query, table: str, tables: Tables) -> exp.Query:
    """*tree* with nothing of other accounts and regions: what is in a partition is what its rows say."""
    region = "aws_region" if table == "cloudtrail_events" else "region"
    conditions = [
        exp.column(column).isin(*(exp.Literal.string(value) for value in values))
        for column, values in (("account_id", tables.limits.accounts), (region, tables.limits.regions))
        if values
    ]
    if not conditions:
        return tree
    return exp.select("*").from_(tree.subquery("limited")).where(*conditions)


def _fitted(one: Source, stored: StoredTable) -> exp.Query:
    """The SELECT of *one* over the columns that *stored* has."""
    lacking = [name for name in one.needs if name not in stored.columns]
    if lacking:
        raise EngineError(
            f"{stored} has no column {', '.join(lacking)}, which every record needs. "
            "`auditkit athena ddl` prints a table that has all."
        )
    tree = one.select.copy()
    for table in list(tree.find_all(exp.Table)):
        if table.name.startswith(STORED):
            _fit(table, one, stored)
    return tree


def _fit(table: exp.Table, one: Source, stored: StoredTable) -> None:
    """The scope around *table*, with the engine's own name for it, and NULL for what it does not have."""
    scope = table.find_ancestor(exp.Select)
    assert scope is not None
    for node in list(_paths(scope)):
        path = _names(node)
        declared = _type_at(one.columns, path)
        if declared is None:
            continue  # the name of a lambda's argument
        actual = _type_at(stored.columns, path)
        parent, alias = node.parent, path[-1]
        fitted = _as_declared(node, path, actual, declared, stored)
        if fitted is not node:
            if isinstance(parent, exp.Select) and node.arg_key == "expressions":
                fitted = exp.alias_(fitted, alias, quoted=not alias.isidentifier())
            node.replace(fitted)
    name = [exp.to_identifier(part, quoted=True) for part in stored.name]
    table.replace(exp.Table(**dict(zip(("this", "db", "catalog"), reversed(name), strict=False))))


def _as_declared(
    node: exp.Expr, path: tuple[str, ...], actual: exp.DataType | None, declared: exp.DataType, stored: StoredTable
) -> exp.Expr:
    if actual is None:
        return exp.cast(exp.null(), declared.copy())
    if actual.is_type(declared.this) or declared.is_type(exp.DType.UNKNOWN):
        return node
    if actual.is_type(*_NESTED) or declared.is_type(*_NESTED):
        raise EngineError(
            f"{stored} has {'.'.join(path)} as {actual.sql('trino')}; auditkit reads it as {declared.sql('trino')}. "
            "`auditkit athena ddl` prints a table that fits."
        )
    return exp.TryCast(this=node.copy(), to=declared.copy())


_NESTED = (exp.DType.STRUCT, exp.DType.ARRAY, exp.DType.MAP)


def _paths(scope: exp.Select) -> Iterator[exp.Expr]:
    """Every name of the scope itself, with what is taken out of it: `useridentity.sessioncontext.attributes`."""
    for node in scope.walk(prune=lambda inner: isinstance(inner, exp.Query) and inner is not scope):
        if isinstance(node, exp.Column | exp.Dot) and not isinstance(node.parent, exp.Dot):
            yield node


def _names(node: exp.Expr) -> tuple[str, ...]:
    if isinstance(node, exp.Dot):
        return (*_names(node.this), node.expression.name.lower())
    return tuple(part.name.lower() for part in node.parts) if isinstance(node, exp.Column) else (node.name.lower(),)


def _type_at(columns: Mapping[str, exp.DataType], path: tuple[str, ...]) -> exp.DataType | None:
    """The type at the end of *path*; None, when there is nothing."""
    kind = columns.get(path[0])
    for name in path[1:]:
        if kind is None or not kind.is_type(exp.DType.STRUCT):
            return None
        kind = next((field.args["kind"] for field in kind.expressions if field.name.lower() == name), None)
    return kind
