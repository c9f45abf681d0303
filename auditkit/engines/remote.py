"""What Athena and Trino have in common: the text that is sent, the table that comes back, what they say of errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

from auditkit.engines.dialect import Statement
from auditkit.errors import QueryError

MOST_TEXT = 262_144  # bytes of one statement, which is Athena's limit; Trino's own is a million

_SCALARS: dict[exp.DType, pa.DataType] = {
    exp.DType.BOOLEAN: pa.bool_(),
    exp.DType.TINYINT: pa.int64(),
    exp.DType.SMALLINT: pa.int64(),
    exp.DType.INT: pa.int64(),
    exp.DType.BIGINT: pa.int64(),
    exp.DType.FLOAT: pa.float64(),
    exp.DType.DOUBLE: pa.float64(),
    exp.DType.DATE: pa.date32(),
    exp.DType.TIMESTAMP: pa.timestamp("us"),
    exp.DType.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
    exp.DType.NULL: pa.string(),
    **dict.fromkeys(exp.DataType.TEXT_TYPES, pa.string()),
}


def sent(statement: Statement) -> str:
    """The text of *statement* as it is sent. Raises: QueryError, when it is longer than an engine takes."""
    text = statement.tree.sql("trino", pretty=True, comments=False)
    if (size := len(text.encode())) > MOST_TEXT:
        raise QueryError(
            f"The statement has {size:,} bytes; Athena and Trino take {MOST_TEXT:,}. "
            "Run fewer rules at a time, or give a shorter list."
        )
    return text


def first_line(said: object) -> str:
    """What an engine *said*, to stand in a sentence of ours: its first line, without the full stop."""
    return str(said).strip().partition("\n")[0].rstrip(". ")


def arrow_type(name: str, kind: str) -> pa.DataType:
    """The Arrow type of a column *name* that the engine calls *kind*. Raises: QueryError, for one without a like."""
    try:
        found = _arrow(exp.DataType.build(kind, dialect="trino"))
    except SqlglotError:
        found = None
    if found is None:
        raise QueryError(f"Column {name!r} is of type {kind}, which has no plain form. Select its parts, or CAST.")
    return found


def _arrow(kind: exp.DataType) -> pa.DataType | None:
    if kind.is_type(exp.DType.ARRAY):
        item = _arrow(kind.expressions[0]) if kind.expressions else None
        return pa.list_(item) if item is not None else None
    if kind.is_type(exp.DType.DECIMAL):
        digits = [int(part.name) for part in kind.expressions] or [38, 0]
        return pa.decimal128(digits[0], digits[1] if len(digits) > 1 else 0)
    return _SCALARS.get(kind.this)


def as_table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Python rows as Arrow; *columns* are names and the engine's types. Raises: QueryError."""
    fields = [pa.field(name, arrow_type(name, kind)) for name, kind in columns]
    turned = list(zip(*rows, strict=True)) or [()] * len(fields)
    arrays = []
    for field, values in zip(fields, turned, strict=True):
        try:
            arrays.append(pa.array(values, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise QueryError(f"Column {field.name!r} does not fit in {field.type}: {error}") from None
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def scans(statement: Statement) -> Mapping[str, int]:
    """How often each table of *statement* is read: an engine reads a WITH anew wherever it is named."""
    ctes = {cte.alias.lower(): cte.this for cte in statement.tree.ctes}
    tables = dict.fromkeys(statement.reads, 0)
    known: dict[str, dict[str, int]] = {}

    def count(query: exp.Expr, depth: int = 0) -> dict[str, int]:
        found = dict.fromkeys(tables, 0)
        for node in query.find_all(exp.Table):
            name = node.name.lower()
            if node.args.get("db") or _is_inside_with(node, query):
                continue
            if name in tables:
                found[name] += 1
            elif name in ctes and depth < len(ctes):
                if name not in known:
                    known[name] = count(ctes[name], depth + 1)
                for table, number in known[name].items():
                    found[table] += number
        return found

    return count(statement.tree)


def _is_inside_with(node: exp.Expr, query: exp.Expr) -> bool:
    """Whether *node* stands in a WITH of *query* itself, whose queries count where they are named."""
    cte = node.find_ancestor(exp.CTE)
    while cte is not None:
        holder = cte.parent.parent if cte.parent else None
        if holder is query:
            return True
        cte = cte.find_ancestor(exp.CTE)
    return False
