"""What a table is to a query: a SELECT of queries/sources/, which maps an engine's own table onto it inside the window.

A source reads `stored_<table>` and nothing else reads that. Its header lists the `columns` it takes from there, `also`
other names they go by, and which of them every record `needs`; any other that a user's table lacks is NULL, so that
older tables answer too. Where it reads the stored table it says `:within_partitions`, there or above the window: from
`:window_start` to `:window_end`, or in seconds since 1970 from `:window_start_s` to `:window_end_s`. What follows from
its rows whatever the layout stands in sources/steps/, and `then` names it. What is worked out of the finished rows when
a query asks for it stands in sources/derived/<table>.sql.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

from sqlglot import exp

from auditkit.engines.binding import bind
from auditkit.engines.headed import headed
from auditkit.engines.partitions import within
from auditkit.engines.tables import StoredTable, Tables, table_node
from auditkit.errors import EngineError
from auditkit.model import Parameter, Window
from auditkit.resources import QUERIES
from auditkit.schema import TABLES

STORED = "stored_"  # stored_cloudtrail_events is what an engine has; only the sources read it
COPY_NUMBER = "copy_number"  # what a source calls the place of an event among its copies; it keeps the first
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        return _bound(source(table, "store").select.copy(), window)

    def columns(self, table: str) -> tuple[str, Mapping[str, Any]]:
        return STORED + table, {column.name: column.type for column in TABLES[table].columns}


@dataclass(frozen=True)
class TableSources:
    """The tables that Athena or Trino has."""

    tables: Tables
    with_copies: bool = False  # each delivery of an event, for whoever counts them

    def select(self, table: str, window: Window) -> exp.Query:
        """Raises: EngineError, when there is no such table or it lacks what every event needs; WindowError."""
        stored = self._stored(table)
        one = source(table, stored.layout)
        tree = _fitted(one, stored)
        condition = within(stored, window, self.tables.limits)
        for placeholder in list(tree.find_all(exp.Placeholder)):
            if placeholder.name == "within_partitions":
                placeholder.replace(condition.copy())
        if self.with_copies:
            for equal in list(tree.find_all(exp.EQ)):
                if equal.this == exp.column(COPY_NUMBER):
                    equal.replace(exp.true())
        return _of_accounts_and_regions(_bound(tree, window), table, self.tables)

    def columns(self, table: str) -> tuple[str, Mapping[str, Any]]:
        stored = self._stored(table)
        return stored.name[-1], stored.columns

    def _stored(self, table: str) -> StoredTable:
        stored = self.tables.stored.get(table)
        if stored is None:
            option = "--cloudtrail-table" if table == "cloudtrail_events" else "--flow-table"
            raise EngineError(
                f"No table of {table} was named. Name one with {option}; `auditkit athena ddl` prints one."
            )
        return stored


@dataclass(frozen=True)
class Source:
    """One file of queries/sources/."""

    title: str
    columns: Mapping[str, exp.DataType]  # what it takes from the stored table
    needs: tuple[str, ...]  # of these, what a table cannot do without
    also: Mapping[str, tuple[str, ...]]  # other names of these, the best first
    select: exp.Query

    def name_in(self, stored: StoredTable, column: str) -> str | None:
        """What *stored* calls the column, if it has it."""
        return next((name for name in (column, *self.also.get(column, ())) if name in stored.columns), None)


@cache
def source(table: str, layout: str) -> Source:
    header, select = headed(QUERIES / "sources" / f"{table}.{layout}.sql")
    if then := header.get("then"):
        select = _followed(select, headed(QUERIES / "sources" / "steps" / f"{then}.sql")[1])
    # The store has the columns of the schema, and its source takes all of them.
    kinds = header.get("columns") or {column.name: column.type for column in TABLES[table].columns}
    columns = {name: exp.DataType.build(kind, dialect="trino") for name, kind in kinds.items()}
    also = {name: tuple(others) for name, others in (header.get("also") or {}).items()}
    return Source(header["title"], columns, tuple(header.get("needs") or ()), also, select)


def with_derived(table: str, recorded: exp.Query) -> exp.Query:
    """The rows of *recorded* with the columns that are worked out of them, if the table has such."""
    if not TABLES[table].derived:
        return recorded
    tree = _derived(table).copy()
    next(tree.find_all(exp.Table)).replace(recorded.subquery("recorded", copy=False))
    return tree


def read_anyway(table: str) -> set[str]:
    """The columns of a stored table that a query reads whatever it asks: for the window, and for what is derived."""
    limits = source(table, "store").select.find_all(exp.Column)
    derived = _derived(table).find_all(exp.Column) if TABLES[table].derived else ()
    return {column.name for column in (*limits, *derived)}


@cache
def _derived(table: str) -> exp.Query:
    return headed(QUERIES / "sources" / "derived" / f"{table}.sql")[1]


def _followed(first: exp.Query, then: exp.Query) -> exp.Query:
    """*then*, to which the rows of *first* are `events`: one statement, with the steps of both."""
    own = first.args.pop("with_", None)
    events = exp.CTE(this=first, alias=exp.TableAlias(this=exp.to_identifier("events")))
    then.args["with_"].set("expressions", [*(own.expressions if own else ()), events, *then.ctes])
    return then


def _bound(tree: exp.Query, window: Window) -> exp.Query:
    """*tree* with the limits of *window*, in place."""
    start, end = window.start or OPEN_START, window.end or OPEN_END
    limits = {
        "window_start": Parameter("timestamp", start),
        "window_end": Parameter("timestamp", end),
        "window_start_s": Parameter("bigint", _second(start)),
        "window_end_s": Parameter("bigint", _second(end)),
    }
    names = {placeholder.name for placeholder in tree.find_all(exp.Placeholder)}
    return bind(tree, {name: limit for name, limit in limits.items() if name in names})


def _second(moment: datetime) -> int:
    """The first whole second that is not before *moment*, since 1970."""
    return -((_EPOCH - moment) // timedelta(seconds=1))


def _of_accounts_and_regions(tree: exp.Query, table: str, tables: Tables) -> exp.Query:
    """*tree* with nothing of other accounts and regions: what is in a partition is what its rows say.

    Raises: EngineError, when the table does not tell the account or the region, for it would seem to hold nothing.
    """
    region = "aws_region" if table == "cloudtrail_events" else "region"
    conditions = []
    for column, values in (("account_id", tables.limits.accounts), (region, tables.limits.regions)):
        if not values:
            continue
        known = next(select for select in tree.selects if select.alias_or_name == column)
        if not known.find(exp.Column):
            raise EngineError(
                f"{tables.stored[table]} has no column that tells the {column}: it cannot be limited to some."
            )
        conditions.append(exp.column(column).isin(*(exp.Literal.string(value) for value in values)))
    if not conditions:
        return tree
    return exp.select("*").from_(tree.subquery("limited")).where(*conditions)


def _fitted(one: Source, stored: StoredTable) -> exp.Query:
    """The SELECT of *one* over the columns that *stored* has."""
    lacking = [name for name in one.needs if one.name_in(stored, name) is None]
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
    if scope.is_star:
        scope.select(
            *(exp.column(exp.to_identifier(name, quoted=True)) for name in one.columns), append=False, copy=False
        )
    for node in list(_paths(scope)):
        path = _names(node)
        declared = _type_at(one.columns, path)
        if declared is None:
            continue  # the name of a lambda's argument
        is_selected = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
        fitted = _as_declared(_renamed(node, one.name_in(stored, path[0])), path, declared, one, stored)
        if is_selected and (not isinstance(fitted, exp.Column | exp.Dot) or fitted.name.lower() != path[-1]):
            fitted = exp.alias_(fitted, path[-1], quoted=True)
        node.replace(fitted)
    table.replace(table_node(stored.name))


def _renamed(node: exp.Expr, name: str | None) -> exp.Expr:
    """A copy of the path *node*, with *name* for the column that it starts from."""
    copied = node.copy()
    root = copied
    while isinstance(root, exp.Dot):
        root = root.this
    first = root.parts[0] if isinstance(root, exp.Column) else root
    if name is not None and first.name.lower() != name:
        first.replace(exp.to_identifier(name, quoted=True))
    return copied


def _as_declared(
    node: exp.Expr, path: tuple[str, ...], declared: exp.DataType, one: Source, stored: StoredTable
) -> exp.Expr:
    """*node*, which is the *path* in *stored*, as the type that *one* declares. Raises: EngineError."""
    actual = _type_at(stored.columns, (one.name_in(stored, path[0]) or path[0], *path[1:]))
    if actual is None:
        return exp.cast(exp.null(), declared.copy())
    if actual.is_type(declared.this) or declared.is_type(exp.DType.UNKNOWN):
        return node
    if _cannot_be(actual, declared):
        raise EngineError(
            f"{stored} has {'.'.join(path)} as {actual.sql('trino')}; auditkit reads it as {declared.sql('trino')}. "
            "`auditkit athena ddl` prints a table that fits."
        )
    if {actual.this, declared.this} <= set(_WHOLE) and _WHOLE.index(actual.this) < _WHOLE.index(declared.this):
        return exp.cast(node, declared.copy())  # which Trino looks through where it skips Parquet
    return exp.TryCast(this=node, to=declared.copy())


_NESTED = (exp.DType.STRUCT, exp.DType.ARRAY, exp.DType.MAP)
_WHOLE = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)  # the narrower first


def _cannot_be(actual: exp.DataType, declared: exp.DataType) -> bool:
    """Whether no engine casts the one to the other."""
    numbers, times = exp.DataType.NUMERIC_TYPES, exp.DataType.TEMPORAL_TYPES
    return (
        actual.is_type(*_NESTED)
        or declared.is_type(*_NESTED)
        or (actual.is_type(*numbers) and declared.is_type(*times))
        or (actual.is_type(*times) and declared.is_type(*numbers))
    )


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
