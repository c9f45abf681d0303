"""Lists out of Athena unharmed: its answers are text, where `[a, b]` may be one item or two, so lists go as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse
from auditkit.engines.typed import typed
from auditkit.errors import QueryError
from auditkit.model import Parameter

ANSWER = "auditkit_answer"
_LIST = "auditkit_list_"  # a name that no ORDER BY can mean


@dataclass(frozen=True, slots=True)
class Output:
    """One column of an answer, as the statement calls it; its type may be unknown."""

    name: str
    type: exp.DataType

    @property
    def is_list(self) -> bool:
        return self.type.is_type(exp.DType.ARRAY)


def outputs(sql: str, params: Mapping[str, Parameter]) -> list[Output]:
    """The columns that *sql* answers with.

    Raises: QueryError, when a column does not exist, is a list of what nobody can tell, or two have the same name.
    """
    tree = typed(bind(parse(sql), params), sql, aliases=False)
    found = [Output(column.alias_or_name, column.type or exp.DType.UNKNOWN.into_expr()) for column in tree.selects]
    names = [output.name for output in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise QueryError(f"Two columns are named {', '.join(map(repr, twice[:3]))}. Give each its own name with AS.")
    for output in found:
        if output.is_list and not _is_told(output.type):
            raise untold(output.name)
        if output.type.is_type(exp.DType.STRUCT, exp.DType.MAP):
            raise QueryError(
                f"Column {output.name!r} is of type {output.type.sql('trino')}, which has no plain form. Select its "
                "parts, or CAST."
            )
    return found


def sent_name(number: int, output: Output) -> str:
    """What the column at that place (1, 2, …) is called in what is sent."""
    return f"{_LIST}{number}" if output.is_list else output.name


def untold(name: str) -> QueryError:
    return QueryError(
        f"Column {name!r} is a list, and its items are of a type that cannot be told before the statement runs. "
        f"Say it: CAST(… AS ARRAY(VARCHAR)) AS {name}."
    )


def _is_told(kind: exp.DataType) -> bool:
    if kind.is_type(exp.DType.ARRAY):
        return bool(kind.expressions) and _is_told(kind.expressions[0])
    return not kind.is_type(exp.DType.UNKNOWN, exp.DType.NULL)


def with_lists_as_json(tree: exp.Query, columns: list[Output]) -> exp.Query:
    """*tree* with each list among its *columns* as JSON text, and its rows in the same order; in place or around it.

    Raises: QueryError, for an ORDER BY that names no column of the answer, where it has to.
    """
    if not any(column.is_list for column in columns):
        return tree
    if isinstance(tree, exp.Select) and not tree.is_star and not tree.args.get("distinct"):
        return _rewritten(tree, columns)
    return _wrapped(tree, columns)


def _rewritten(tree: exp.Select, columns: list[Output]) -> exp.Query:
    """The SELECT list with other expressions for the lists; what meant one of them means what it was before."""
    meant: dict[str, exp.Expr] = {}
    for number, (node, column) in enumerate(zip(tree.selects, columns, strict=True), start=1):
        if column.is_list:
            value = node.unalias()
            meant[column.name] = meant[str(number)] = value.copy()
            node.replace(exp.alias_(_as_json(value.copy(), column.type), sent_name(number, column)))
    for term in _terms(tree, "order"):
        for node in _outside_queries(term):
            if isinstance(node, exp.Column) and not node.table and node.name.lower() in meant:
                node.replace(meant[node.name.lower()].copy())
    for term in (*_terms(tree, "order"), *_terms(tree, "group")):
        place = term.this if isinstance(term, exp.Ordered) else term
        if isinstance(place, exp.Literal) and place.name in meant:
            place.replace(meant[place.name].copy())
    return tree


def _wrapped(tree: exp.Query, columns: list[Output]) -> exp.Query:
    """A SELECT around *tree*, which takes over its ORDER BY and LIMIT: only the outermost order is kept."""
    terms = [_by_name(term, tree, columns) for term in _terms(tree, "order")]
    outer = exp.select()
    for key in ("limit", "offset"):
        if node := tree.args.get(key):
            outer.set(key, node.copy())
            tree.set(key, None)
    tree.set("order", None)
    for number, node in enumerate(tree.selects):
        if not isinstance(node, exp.Alias | exp.Column | exp.Star):
            if tree.is_star:
                raise QueryError(f"Give {node.sql('trino')} a name with AS, as it needs beside a list and *.")
            node.replace(exp.alias_(node.copy(), columns[number].name, quoted=True))
    selected = [
        exp.alias_(_as_json(_of_answer(column.name), column.type), sent_name(number, column))
        if column.is_list
        else _of_answer(column.name)
        for number, column in enumerate(columns, start=1)
    ]
    outer = outer.select(*selected).from_(tree.subquery(ANSWER, copy=False))
    if terms:
        outer.set("order", exp.Order(expressions=terms))
    return outer


def _by_name(term: exp.Expr, tree: exp.Query, columns: list[Output]) -> exp.Expr:
    """*term* of an ORDER BY in the names of the answer."""
    names = [column.name for column in columns]
    selected = (
        {}
        if tree.is_star
        else {node.unalias().sql("trino"): name for node, name in zip(tree.selects, names, strict=True)}
    )
    term = term.copy()
    value = term.this
    if isinstance(value, exp.Literal) and value.name.isdigit() and int(value.name) <= len(names):
        value.replace(_of_answer(names[int(value.name) - 1]))
    elif value.sql("trino") in selected:
        value.replace(_of_answer(selected[value.sql("trino")]))
    else:
        for node in [node for node in _outside_queries(term) if isinstance(node, exp.Column)]:
            if node.name.lower() not in names:
                raise QueryError(
                    f"ORDER BY {node.sql('trino')} is no column of the answer, as it has to be beside a list, with "
                    "SELECT DISTINCT, SELECT * or UNION. Select it too."
                )
            node.replace(_of_answer(node.name.lower()))
    return term


def _terms(tree: exp.Query, key: str) -> list[exp.Expr]:
    clause = tree.args.get(key)
    return list(clause.expressions) if clause else []


def _outside_queries(term: exp.Expr) -> list[exp.Expr]:
    return list(term.walk(prune=lambda node: isinstance(node, exp.Query)))


def _of_answer(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table=ANSWER)


def _as_json(value: exp.Expr, kind: exp.DataType) -> exp.Expr:
    if kind.expressions[0].is_type(exp.DType.JSON):  # its items come as text, as they do elsewhere
        item = exp.to_identifier("item")
        text = exp.Lambda(this=exp.JSONFormat(this=item.copy()), expressions=[item])
        value = exp.Transform(this=value, expression=text)
    return exp.JSONFormat(this=exp.cast(value, exp.DType.JSON))
