"""What keeps a query from meaning the same on Trino, Athena and DuckDB, or from giving the same rows twice.

`problems` reads a query as written and lists every reason against it. tests/test_corpus_lint.py holds queries/ to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlglot import exp

from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse, tables_read
from auditkit.engines.duckdb_sql import FRACTIONAL
from auditkit.engines.typed import typed
from auditkit.engines.vocabulary import in_words
from auditkit.errors import ParameterError, QueryError
from auditkit.model import Parameter

_STRANGE: dict[type[exp.Expr], str] = {
    exp.AtTimeZone: "AT TIME ZONE differs between engines, and every time is UTC already",
    exp.TableSample: "a sample is another one each time",
    exp.Pivot: "PIVOT is not Trino",
    exp.MatchRecognize: "MATCH_RECOGNIZE is not DuckDB",
    exp.Reduce: "reduce is not DuckDB",
    exp.Slice: "list[a:b] is not Trino: write slice",
    exp.CurrentTimestamp: "the clock makes every run another one: take a :parameter",
    exp.CurrentDate: "the clock makes every run another one: take a :parameter",
    exp.Localtimestamp: "the clock makes every run another one: take a :parameter",
}
_LISTS = (exp.ArrayDistinct, exp.ArrayIntersect, exp.ArrayExcept, exp.ArrayAgg)
_ORDER_BLIND = (exp.ArraySort, exp.ArraySize, exp.ArrayContains, exp.ArrayMax, exp.ArrayMin)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
_PARSERS = (exp.FromISO8601Timestamp, exp.ParseJSON)

_TEXT, _NUMBER, _TIME = exp.DataType.TEXT_TYPES, exp.DataType.NUMERIC_TYPES, exp.DataType.TEMPORAL_TYPES
_UNKNOWN = (exp.DType.UNKNOWN, exp.DType.NULL)
_FLAT = (*_TEXT, *_NUMBER, *_UNKNOWN, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.ARRAY)
_AS_TEXT = (*_TEXT, *exp.DataType.INTEGER_TYPES, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.NULL)


def problems(sql: str, params: Mapping[str, str], *, kind: str) -> list[str]:
    """Every reason against *sql*, a query of that *kind* whose parameters are of these types. None: it is fit."""
    found = list(in_words(sql))
    try:
        tree = parse(sql)
        tables_read(tree)
        if kind != "match" and any(select.is_star for select in tree.selects):
            found.append("the outer SELECT names its columns, not *")
        bind(tree, {name: Parameter(declared, None) for name, declared in params.items()})
        tree = typed(tree, sql, aliases=False)
    except (QueryError, ParameterError) as error:
        return [*found, str(error)]
    found += (reason for node in tree.walk() for reason in _in_node(node))
    if kind != "match":
        found += (*_in_output(tree), *_in_order(tree))
    return list(dict.fromkeys(found))


def _in_node(node: exp.Expr) -> Iterator[str]:
    """What DuckDB and Trino would answer differently, or one of them refuse."""
    if type(node) in _STRANGE:
        yield _STRANGE[type(node)]
    if isinstance(node, exp.Literal) and not node.is_string and re.fullmatch(r"\d*\.\d*", node.name):
        yield f"{node.name} is a decimal, whose scale differs: write {node.name}e0"
    if isinstance(node, exp.Cast):
        yield from _in_cast(node)
    if isinstance(node, exp.Div):
        yield from _in_division(node)
    if isinstance(node, exp.JSONExtract | exp.JSONExtractScalar) and not _plain_path(node.expression):
        yield f"the JSON path of {node.sql('trino')} must be text made of keys and places, such as '$.a[0].b'"
    if isinstance(node, exp.Sub) and node.this.is_type(*_TIME) and node.expression.is_type(*_TIME):
        yield f"{node.sql('trino')} is an interval, which is of no plain type: write date_diff"
    if isinstance(node, _COMPARISONS):
        groups = {
            name
            for side in _sides(node)
            for name, group in (("text", _TEXT), ("number", _NUMBER), ("time", _TIME))
            if side.is_type(*group)
        }
        if len(groups) > 1:
            yield f"{node.sql('trino')} compares values of different types, which Trino refuses"
    if isinstance(node, _PARSERS) and not node.find_ancestor(exp.Try) and not isinstance(node.this, exp.Literal):
        yield f"{node.sql('trino')} stops the query at the first odd value: put it in TRY(…)"
    if isinstance(node, exp.Limit) and node.parent and not node.parent.args.get("order"):
        yield "LIMIT without ORDER BY keeps other rows each time"
    if isinstance(node, exp.ArraySlice) and isinstance(node.this, exp.ArrayAgg | exp.ArrayDistinct | exp.Flatten):
        yield from _in_list(node.this)


def _in_cast(node: exp.Cast) -> Iterator[str]:
    value, to, shown = node.this, node.to, node.sql("trino")
    if isinstance(value, exp.Null):
        return
    lenient = isinstance(node, exp.TryCast) or node.find_ancestor(exp.Try) is not None
    if to.is_type(*_TEXT) and not value.is_type(*_AS_TEXT):
        yield f"{shown}: times, fractions, JSON and what is of unknown type have no one form as text"
    if to.is_type(exp.DType.JSON):
        yield f"{shown} quotes the text on Trino and reads it on DuckDB: write json_parse"
    if to.is_type(*_TIME) and value.is_type(*_TEXT) and not isinstance(value, exp.Literal):
        yield f"{shown} reads other forms of time on each engine: write TRY(from_iso8601_timestamp(…))"
        return
    fallible = value.is_type(*_TEXT, exp.DType.JSON, exp.DType.UNKNOWN) and not isinstance(value, exp.Literal)
    if fallible and not to.is_type(*_TEXT) and not lenient:
        yield f"{shown} stops the query at the first odd value: write TRY_CAST"


def _in_division(node: exp.Div) -> Iterator[str]:
    by = node.expression.unnest()
    if not isinstance(by, exp.Nullif) and not (isinstance(by, exp.Literal) and float(by.name) != 0):
        yield f"{node.sql('trino')}: a division by zero stops Trino and not DuckDB: divide by NULLIF(…, 0)"
    sides = (node.this, node.expression)
    if any(side.is_type(*_UNKNOWN) for side in sides) and not any(side.is_type(*FRACTIONAL) for side in sides):
        yield f"{node.sql('trino')} divides values of unknown type: CAST one of them to bigint or double"


def _plain_path(path: exp.Expr) -> bool:
    steps = path.expressions[1:] if isinstance(path, exp.JSONPath) else [path]
    return all(
        (isinstance(step, exp.JSONPathKey) and isinstance(step.this, str))
        or (isinstance(step, exp.JSONPathSubscript) and isinstance(step.this, int) and step.this >= 0)
        for step in steps
    )


def _sides(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a comparison compares."""
    for key in ("this", "expression", "low", "high", "expressions"):
        value = node.args.get(key)
        yield from value if isinstance(value, list) else [value] if value else []


def _in_list(node: exp.Expr) -> Iterator[str]:
    """Lists whose order nothing decides."""
    for loose in node.find_all(*_LISTS):
        ordered = isinstance(loose, exp.ArrayAgg) and loose.find(exp.Order)
        if not ordered and not loose.find_ancestor(*_ORDER_BLIND):
            yield f"{loose.sql('trino')} comes in any order: ORDER BY inside it, or array_sort around it"


def _in_output(tree: exp.Query) -> Iterator[str]:
    for column in tree.selects:
        yield from _in_list(column)
        if not column.is_type(*_FLAT):
            yield f"column {column.alias_or_name} is of type {column.type}, not a plain one"


def _in_order(tree: exp.Query) -> Iterator[str]:
    """Whether the rows have one order only, as far as can be told: by every key of the GROUP BY."""
    order, group = tree.args.get("order"), tree.args.get("group")
    if isinstance(tree, exp.Select) and not group and all(column.find(exp.AggFunc) for column in tree.selects):
        return  # one row
    if not order:
        yield "the outer SELECT needs an ORDER BY"
        return
    meant = {column.alias: column.unalias().sql() for column in tree.selects}
    terms = {meant.get(term.this.name, "") if isinstance(term.this, exp.Column) else "" for term in order.expressions}
    terms |= {term.this.sql() for term in order.expressions}
    if group and (loose := [key.sql("trino") for key in group.expressions if key.sql() not in terms]):
        yield f"ORDER BY leaves open the order of rows that differ in {', '.join(loose)}"
