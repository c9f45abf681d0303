"""Which column of which table every name of a statement means, and of what type every expression is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from auditkit.engines.list_types import LISTS, with_type
from auditkit.errors import QueryError
from auditkit.schema import TABLES

_COLUMNS = {
    name: {column.name: column.type for column in (*table.columns, *table.derived)} for name, table in TABLES.items()
}
NOTHING_STORED: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_QUOTED, _LAST_WORD = re.compile(r"'[^']*'"), re.compile(r"\w+\.?$")
VARCHARS = exp.DataType.build("array(varchar)", dialect="trino")


def typed(
    tree: exp.Query, text: str, *, stored: Mapping[str, Mapping[str, Any]] = NOTHING_STORED, aliases: bool = True
) -> exp.Query:
    """*tree*, read from *text*, with every column qualified and every node typed as far as is known; in place.

    *stored* are the tables it reads beside the two, with their columns.
    *aliases* False does not accept names of the SELECT list in WHERE, GROUP BY and HAVING; nor does Trino.
    Raises: QueryError, when a column does not exist or could be one of two.
    """
    schema: dict[str, Any] = {**_COLUMNS, **stored}
    try:
        tree = qualify(tree, schema=schema, dialect="trino", expand_alias_refs=aliases)
        return annotate_types(tree, schema=schema, expression_metadata=_METADATA, dialect="trino")
    except OptimizeError as error:
        raise QueryError(_unresolved(str(error), text)) from None


def _unresolved(reason: str, text: str) -> str:
    """*reason* with what was probably meant, and the line concerned."""
    reason, _, place = reason.partition(" Line: ")
    name = (_QUOTED.search(reason) or _LAST_WORD.search(reason) or [""])[0].strip("'. ")
    homes = [table for table, columns in _COLUMNS.items() if name in columns]
    close = get_close_matches(name, {column for columns in _COLUMNS.values() for column in columns}, n=1)
    if homes:
        reason += f" It is a column of {' and '.join(homes)}: name the table."
    elif close:
        reason += f" Did you mean {close[0]!r}?"
    number = place.partition(",")[0]
    lines = text.splitlines()
    if number.isdigit() and int(number) <= len(lines):
        reason += f"\n  line {number}: {lines[int(number) - 1].strip()}"
    return reason


def _is(kind: exp.DType | exp.DataType) -> dict[str, Any]:
    return {"annotator": lambda annotator, node: with_type(node, kind)}


def _as(*arguments: str) -> dict[str, Callable[[Any, Any], Any]]:
    return {"annotator": lambda annotator, node: annotator._annotate_by_args(node, *arguments)}


def _anonymous(_: Any, node: exp.Anonymous) -> exp.Expr:
    name = node.name.lower()
    if name == "array_union" and node.expressions:
        return with_type(node, node.expressions[0].type)
    return with_type(node, _CALLS.get(name, exp.DType.UNKNOWN))


_CALLS = {
    "json_array_length": exp.DType.BIGINT,
    "json_size": exp.DType.BIGINT,
    "any_match": exp.DType.BOOLEAN,
    "all_match": exp.DType.BOOLEAN,
    "none_match": exp.DType.BOOLEAN,
    "arrays_overlap": exp.DType.BOOLEAN,
    "url_decode": exp.DType.VARCHAR,
}

# What sqlglot leaves untyped. Integer division and casts from JSON depend on the types, so they must be known.
_METADATA: dict[type[exp.Expr], dict[str, Any]] = {
    **Trino.EXPRESSION_METADATA,
    **LISTS,
    exp.Anonymous: {"annotator": _anonymous},
    exp.ArgMax: _as("this"),
    exp.ArgMin: _as("this"),
    exp.JSONExtract: _is(exp.DType.JSON),
    exp.JSONFormat: _is(exp.DType.VARCHAR),
    exp.JSONExtractScalar: _is(exp.DType.VARCHAR),
    exp.RegexpExtract: _is(exp.DType.VARCHAR),
    exp.RegexpReplace: _is(exp.DType.VARCHAR),
    exp.RegexpExtractAll: _is(VARCHARS),
    exp.Split: _is(VARCHARS),
    exp.TimestampTrunc: _as("this"),
    exp.Try: _as("this"),
}
