"""Trino's tree out as DuckDB SQL, with Trino's answers.

sqlglot spells the SQL. What it would leave to mean something else is renamed here to the macros of
queries/frames/duckdb_macros.sql; tests/test_dialect.py holds one case for each.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from auditkit.engines.dialect import Statement
from auditkit.engines.typed import VARCHARS, typed
from auditkit.errors import QueryError
from auditkit.schema import TABLES

# Calls that keep their arguments and only change their name: node -> (DuckDB name, its arguments in order).
_RENAMED: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.DateDiff: ("trino_date_diff", ("unit", "expression", "this")),
    exp.RegexpExtract: ("trino_regexp_extract", ("this", "expression", "group")),
    exp.RegexpReplace: ("trino_regexp_replace", ("this", "expression", "replacement")),
    exp.SplitPart: ("trino_split_part", ("this", "delimiter", "part_index")),
    exp.Substring: ("trino_substr", ("this", "start", "length")),
    exp.JSONExtract: ("trino_json_extract", ("this", "expression")),
    exp.JSONExtractScalar: ("trino_json_extract_scalar", ("this", "expression")),
    exp.ArrayToString: ("trino_array_join", ("this", "expression", "null")),
    exp.ArrayMax: ("trino_array_max", ("this",)),
    exp.ArrayMin: ("trino_array_min", ("this",)),
    exp.ArrayPosition: ("trino_array_position", ("this", "expression")),
    exp.ArrayDistinct: ("trino_array_distinct", ("this",)),
    exp.ArraySlice: ("trino_slice", ("this", "start", "end")),
    exp.Repeat: ("trino_repeat", ("this", "times")),
    exp.ArgMax: ("arg_max_null", ("this", "expression")),  # arg_max passes over rows whose value is NULL
    exp.ArgMin: ("arg_min_null", ("this", "expression")),
}
_MATCHES = {"any_match": "trino_any", "all_match": "trino_all", "none_match": "trino_any"}
_SHADOWED = ("json_array_length", "url_decode")  # DuckDB has functions of these names, with other answers
_DATE_ARITHMETIC = (exp.Add, exp.Sub, exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc)
_TEXT, _WHOLE = exp.DataType.TEXT_TYPES, exp.DataType.INTEGER_TYPES
FRACTIONAL = (*exp.DataType.FLOAT_TYPES, exp.DType.DECIMAL)


def duckdb_sql(statement: Statement) -> str:
    """The statement in DuckDB's words, on several lines. Its tree is changed on the way.

    Raises: QueryError, when a column does not exist or is ambiguous, or a call has no like in DuckDB.
    """
    tree = typed(statement.tree, statement.text, stored=statement.stored)
    for select in tree.find_all(exp.Select):
        _unnest_in_place(select)
    for node in reversed(list(tree.walk(bfs=False))):  # from the leaves up: what is renamed keeps its arguments
        level = _level(node)
        if level is not node:
            level.type = node.type
            node.replace(level)
    try:
        return tree.sql("duckdb", pretty=True, comments=False, unsupported_level=ErrorLevel.RAISE, copy=False)
    except UnsupportedError as error:
        raise QueryError(f"DuckDB has no like for this Trino SQL. {error}") from None


def _level(node: exp.Expr) -> exp.Expr:
    """What makes DuckDB answer as Trino does; mostly *node* itself."""
    if type(node) in _RENAMED:
        name, keys = _RENAMED[type(node)]
        return _call(name, *(node.args[key] for key in keys if node.args.get(key) is not None))
    if isinstance(node, exp.CountIf):  # of nothing but NULL, DuckDB's count_if is NULL
        return exp.Count(this=exp.Case(ifs=[exp.If(this=node.this, true=exp.Literal.number(1))]))
    if isinstance(node, exp.Anonymous):
        return _anonymous(node)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.ArrayContains):
        on_address = node.expression.is_type(exp.DType.IPADDRESS)
        return _call("trino_contains_address" if on_address else "trino_contains", node.this, node.expression)
    if isinstance(node, exp.Div):
        _check_division(node)
    if isinstance(node, exp.Split) and node.args.get("limit"):
        raise QueryError(f"{node.sql('trino')}: DuckDB's split knows no limit. Leave it out, or use split_part.")
    if _is_date_moved(node):
        return exp.cast(node.copy(), exp.DType.DATE)
    if isinstance(node, exp.CTE) and node.alias in TABLES:
        node.set("materialized", False)  # read where it is used, so only the columns and days that are needed
    return node


def _unnest_in_place(select: exp.Select) -> None:
    """`FROM t CROSS JOIN UNNEST(list) AS u(item)` as `FROM (SELECT *, unnest(list) AS item FROM t)`: the same rows.

    For the join DuckDB would work out everything that t is worked out from twice, once to learn which lists there are.
    """
    source, joins = select.args.get("from_"), select.args.get("joins") or []
    if not (source and isinstance(source.this, exp.Table) and len(joins) == 1 and joins[0].args.get("kind") == "CROSS"):
        return
    unnest = joins[0].this
    if not isinstance(unnest, exp.Unnest) or len(unnest.expressions) != 1 or unnest.args.get("offset"):
        return
    alias, [name] = unnest.args["alias"], unnest.args["alias"].columns
    table, item = source.this.alias_or_name, f"{alias.name} {name.name}"  # a name that no column has
    for column in list(select.find_all(exp.Column)):
        if column.table == alias.name:
            column.replace(
                exp.column(exp.to_identifier(item, quoted=True), table=exp.to_identifier(table, quoted=True))
            )
    unnested = exp.alias_(_call("unnest", unnest.expressions[0].copy()), item, quoted=True)
    inner = exp.select(exp.Star(), unnested).from_(source.this.copy())
    select.set("joins", None)
    source.set("this", inner.subquery(exp.to_identifier(table, quoted=True)))


def _is_date_moved(node: exp.Expr) -> bool:
    """Whether *node* moves or truncates a date, which DuckDB answers with a timestamp."""
    if isinstance(node, exp.Add | exp.Sub) and not isinstance(node.expression, exp.Interval):
        return False
    return isinstance(node, _DATE_ARITHMETIC) and node.this.is_type(exp.DType.DATE)


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    parts = [exp.Literal.string(part.name) if isinstance(part, exp.Var) else part for part in arguments]
    return exp.Anonymous(this=name, expressions=parts)


def _anonymous(node: exp.Anonymous) -> exp.Expr:
    """Calls that sqlglot has no class for."""
    name = node.name.lower()
    if name in _MATCHES:  # a macro cannot take a lambda, so it gets the list of answers
        answer = _call(_MATCHES[name], _call("list_transform", *node.expressions))
        return exp.Not(this=answer) if name == "none_match" else answer
    return _call(f"trino_{name}", *node.expressions) if name in _SHADOWED else node


def _cast(node: exp.Cast) -> exp.Expr:
    """Casts whose answers differ: to an address, of fractions and text to whole numbers, to JSON, of JSON to text."""
    to, value = node.to, node.this
    if to.is_type(exp.DType.IPADDRESS):
        return _call("trino_ipaddress", value)
    if to.is_type(exp.DType.JSON):  # text becomes a JSON string; DuckDB would read it as JSON
        return _call("to_json", value)
    if to.is_type(exp.DType.TIMESTAMP):
        to.set("expressions", [])  # DuckDB's TIMESTAMP(3) is another type; its TIMESTAMP counts microseconds
    if to.is_type(*_WHOLE) and value.is_type(*FRACTIONAL):
        node.set("this", exp.func("round", value))
    if to.is_type(*_WHOLE) and value.is_type(*_TEXT) and isinstance(node, exp.TryCast):
        node.set("this", _call("trino_digits", value))
    if to.is_type(VARCHARS) and value.is_type(exp.DType.JSON):
        return _call("trino_varchars", value)
    if to.is_type(*_TEXT) and (_unknown(value) or value.is_type(exp.DType.JSON)):
        return _call("trino_varchar", value)
    return node


def _check_division(node: exp.Div) -> None:
    """Refuse a division when it is unknown whether it is one of whole numbers.

    Raises: QueryError.
    """
    sides = (node.this, node.expression)
    if any(_unknown(side) for side in sides) and not any(side.is_type(*FRACTIONAL) for side in sides):
        raise QueryError(
            f"{node.sql('trino')} divides values of unknown type, and whole numbers divide otherwise than others. "
            "CAST one of them to bigint or double."
        )


def _unknown(node: exp.Expr) -> bool:
    return node.type is None or node.is_type(exp.DType.UNKNOWN)
