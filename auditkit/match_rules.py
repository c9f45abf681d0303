"""Many match rules as one statement, so that a hundred rules read the events once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from sqlglot import exp

from auditkit.catalogue import Query
from auditkit.engines.dialect import parse
from auditkit.errors import CatalogueError
from auditkit.model import Parameter
from auditkit.resources import QUERIES

AT_ONCE = 120  # rules in one statement: Trino stops at 127 arguments of a call, Athena at 262,144 bytes of text

Bound = Mapping[str, Mapping[str, Parameter]]  # rule -> parameter -> value

_SHAPE = "SELECT *[, <expression> AS resource] FROM cloudtrail_events WHERE <predicate over one event>"


def compiled(queries: Sequence[Query], bound: Bound) -> tuple[str, dict[str, Parameter]]:
    """The one statement of *queries*, and its parameters: each rule's own, under names that no other rule has.

    Raises: CatalogueError, when one of them does not have the shape of a match rule.
    """
    per_resource = [query.rule for query in queries if query.header.get("per") == "resource"]
    params = {"per_resource": Parameter("array(varchar)", list(per_resource))}
    fired: list[exp.Expr] = []
    predicates: list[exp.Expr] = []
    resources: list[exp.Expr] = []
    for number, query in enumerate(queries):
        tree = _checked(query)
        for placeholder in tree.find_all(exp.Placeholder):
            name = f"rule_{number}_{placeholder.name}"
            params[name] = bound[query.rule][placeholder.name]
            placeholder.set("this", name)
        predicate: exp.Expr = tree.args["where"].this
        predicates.append(predicate)
        if query.header.get("attempts") == "ignore":
            predicate = exp.and_(predicate, exp.column("outcome").eq("ok"))
        # CASE makes of a NULL what WHERE makes of it, and nothing of one predicate reaches the next.
        fired.append(_when(predicate, exp.Literal.string(query.rule)))
        if acted_on := tree.selects[1:]:
            resources.append(_when(exp.column("rule").eq(query.rule), acted_on[0].unalias()))
    resource_arn = exp.column("resource_arn")
    nodes: dict[str, exp.Expr | list[exp.Expr]] = {
        "fired": fired,
        "resource": exp.func("COALESCE", *resources, resource_arn) if resources else resource_arn,
        "worth_judging": exp.or_(*_worth_judging(predicates)),
    }
    return _framed(nodes), params


def _worth_judging(predicates: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Conditions of which an event meets one, or no predicate can be true of it; cheap ones, on few short columns.

    Most rules name the calls they are about, and few of a day's calls are such: the others need no judging.
    """
    names: dict[str, exp.Expr] = {}
    others: list[exp.Expr] = []
    for predicate in predicates:
        parts = list(predicate.flatten()) if isinstance(predicate, exp.And) else [predicate]
        values = next(filter(None, (_named(part, "event_name") for part in parts)), None)
        if values:
            names |= {value.name: value for value in values}
        else:
            others.append(next((part for part in parts if _named(part, "identity_type")), exp.true()))
    named = exp.column("event_name").isin(*(names[name].copy() for name in sorted(names)))
    return [*([named] if names else []), *(part.copy() for part in others)]


def _named(part: exp.Expr, column: str) -> list[exp.Expr]:
    """The texts that *part* compares the column with, if that is all it does: `column = '…'`, `column IN ('…', …)`."""
    if not isinstance(part, exp.EQ | exp.In) or part.this != exp.column(column):
        return []
    values = part.expressions if isinstance(part, exp.In) else [part.expression]
    return values if all(isinstance(value, exp.Literal) and value.is_string for value in values) else []


def _when(predicate: exp.Expr, value: exp.Expr) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=predicate, true=value)])


def _checked(query: Query) -> exp.Query:
    """The tree of a match rule, which has nothing but a predicate and perhaps a name for what was acted on."""
    tree = parse(query.sql)
    parts = {key for key, value in tree.args.items() if value}
    columns = [type(column) if isinstance(column, exp.Star) else column.alias for column in tree.selects]
    if (
        parts != {"expressions", "from_", "where"}
        or tree.args["from_"].this.sql("trino") != "cloudtrail_events"
        or columns not in ([exp.Star], [exp.Star, "resource"])
    ):
        raise CatalogueError(f"{query.path}: a match rule is {_SHAPE}. Anything else is kind: aggregate.")
    return tree


def _framed(nodes: Mapping[str, exp.Expr | list[exp.Expr]]) -> str:
    """The frame with each placeholder replaced by its node; several become arguments of the call around it."""
    tree = parse(_frame("match_rules"))
    for placeholder in list(tree.find_all(exp.Placeholder)):
        if placeholder.name in nodes:
            placeholder.replace(nodes[placeholder.name])
    return tree.sql("trino", pretty=True, comments=False)


def probe(table: str) -> str:
    """A statement that gives one row when *table* holds any record of the window, and none otherwise."""
    tree = parse(_frame("any_record"))
    for node in list(tree.find_all(exp.Table)):
        node.replace(exp.to_table(table))
    return tree.sql("trino")


@cache
def _frame(name: str) -> str:
    return (QUERIES / "frames" / f"{name}.sql").read_text(encoding="utf-8")
