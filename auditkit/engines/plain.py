"""Results in a handful of types, the same from every engine."""

from __future__ import annotations

import pyarrow as pa

from auditkit.errors import QueryError


def plain(table: pa.Table) -> pa.Table:
    """*table* in varchar, bigint, double, boolean, date, timestamp (µs, UTC, without a zone) and lists of those.

    Raises: QueryError, naming the column that is none of these, or holds a whole number beyond 64 bits.
    """
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise QueryError(f"Two columns are named {', '.join(map(repr, twice[:3]))}. Give each its own name with AS.")
    columns, fields = [], []
    for field in table.schema:
        kind = _plain(field.type)
        if kind is None:
            raise QueryError(
                f"Column {field.name!r} is of type {field.type}, which has no plain form. Select its parts, or CAST."
            )
        try:
            columns.append(table[field.name].cast(kind))
        except pa.ArrowInvalid as error:
            raise QueryError(f"Column {field.name!r} does not fit in {kind}: {error}") from None
        fields.append(pa.field(field.name, kind))
    return pa.table(columns, schema=pa.schema(fields))


def _plain(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind):
        item = _plain(kind.value_type)
        return None if item is None else pa.list_(item)
    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    if types.is_integer(kind) or (types.is_decimal(kind) and kind.scale == 0):
        return pa.int64()
    if types.is_floating(kind) or types.is_decimal(kind):
        return pa.float64()
    if types.is_timestamp(kind):
        return pa.timestamp("us")
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    return kind if types.is_boolean(kind) or types.is_date32(kind) else None
