"""Many rules about one event as one statement, so that a hundred rules read the events once.

Those of kind `match` share one frame, those of kind `first_seen` another, which reads the baseline as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlglot import exp

from auditkit.catalogue import Query
from auditkit.engines.dialect import parse
from auditkit.errors import CatalogueError
from auditkit.model import Parameter, Value
from auditkit.prefilter import of_service, worth_judging
from auditkit.resources import QUERIES

AT_ONCE = 400  # rules in one statement
MOST_BYTES = 180_000  # of their text: Athena takes 262,144 bytes in all
# Trino makes a method of each column, and stops at 127 arguments of a call and 64 KB of a method.
IN_ONE_COLUMN, BYTES_IN_ONE_COLUMN = 30, 20_000

Bound = Mapping[str, Mapping[str, Parameter]]  # rule -> parameter -> value

_SHAPE = "SELECT *[, <expression> AS resource] FROM cloudtrail_events WHERE <predicate over one event>"


def at_once(queries: Sequence[Query]) -> Iterator[Sequence[Query]]:
    """*queries* in portions that fit into one statement each."""
    return _portions(queries, AT_ONCE, MOST_BYTES)


def _portions(queries: Sequence[Query], most: int, most_bytes: int) -> Iterator[list[Query]]:
    some: list[Query] = []
    size = 0
    for query in queries:
        size += len(query.sql.encode())
        if some and (len(some) == most or size > most_bytes):
            yield some
            some, size = [], len(query.sql.encode())
        some.append(query)
    if some:
        yield some


def compiled(queries: Sequence[Query], bound: Bound) -> tuple[str, dict[str, Parameter]]:
    """The one statement of the match rules *queries*, and its parameters: each rule's own, under names no other has.

    Raises: CatalogueError, when one of them does not have the shape of a match rule.
    """
    return _compiled("match_rules", queries, bound, {"per_resource": _named_so(queries, "per", "resource")})


def compiled_first_seen(queries: Sequence[Query], bound: Bound, since: datetime) -> tuple[str, dict[str, Parameter]]:
    """The one statement of the rules *queries* of kind first_seen. Raises: as `compiled`.

    It is to be run over the baseline and the window, which starts at *since*.
    """
    own = {
        "since": Parameter("timestamp", since),
        "of_accounts": _named_so(queries, "first_for", "account"),
        "of_newcomers": _named_so(queries, "newcomers", "report"),
    }
    return _compiled("first_seen_rules", queries, bound, own)


def _named_so(queries: Sequence[Query], key: str, word: str) -> Parameter:
    names: list[Value] = [query.rule for query in queries if query.header.get(key) == word]
    return Parameter("array(varchar)", names)


def _compiled(
    frame: str, queries: Sequence[Query], bound: Bound, own: Mapping[str, Parameter]
) -> tuple[str, dict[str, Parameter]]:
    params = dict(own)
    predicates: dict[str, exp.Expr] = {}
    trees = [_checked(query) for query in queries]
    for number, (query, tree) in enumerate(zip(queries, trees, strict=True)):
        for placeholder in tree.find_all(exp.Placeholder):
            name = f"rule_{number}_{placeholder.name}"
            params[name] = bound[query.rule][placeholder.name]
            placeholder.set("this", name)
        predicates[query.rule] = tree.args["where"].this
    columns = [exp.alias_(column, f"fired_{number}") for number, column in enumerate(_columns(queries, predicates))]
    nodes: dict[str, exp.Expr | list[exp.Expr]] = {
        "fired": columns,
        "all_fired": _joined([exp.column(column.alias) for column in columns]),
        "resource": _resource(queries, trees),
        "worth_judging": worth_judging(predicates.values()),
    }
    return framed(frame, nodes), params


def _columns(queries: Sequence[Query], predicates: Mapping[str, exp.Expr]) -> Iterator[exp.Expr]:
    """What fired, in columns: the rules about one service in their own, which no event of another service enters."""
    by_service: dict[exp.Expr, list[Query]] = {}
    for query in queries:
        by_service.setdefault(of_service(predicates[query.rule]), []).append(query)
    for its_events, alike in by_service.items():
        for some in _portions(alike, IN_ONE_COLUMN, BYTES_IN_ONE_COLUMN):
            fired = _joined([_fired(query, predicates) for query in some])
            yield exp.Case(ifs=[exp.If(this=its_events.copy(), true=fired)])


def _fired(query: Query, predicates: Mapping[str, exp.Expr]) -> exp.Expr:
    """The name of the rule where it fires, and no rule fires that it yields to."""
    predicate = predicates[query.rule].copy()
    if query.header.get("attempts") == "ignore":
        predicate = exp.and_(predicate, exp.column("outcome").eq("ok"))
    stronger = [predicates[rule].copy() for rule in query.header.get("yields_to", ()) if rule in predicates]
    # CASE makes of a NULL what WHERE makes of it, and nothing of one predicate reaches the next.
    yielding = [exp.If(this=other, true=exp.null()) for other in stronger]
    return exp.Case(ifs=[*yielding, exp.If(this=predicate, true=exp.Literal.string(query.rule))])


def _resource(queries: Sequence[Query], trees: Sequence[exp.Query]) -> exp.Expr:
    """What was acted on: as the rule has it that names it, else resource_arn.

    Where a match rule names nothing after all, resource_arn says more than NULL does. A rule of kind first_seen
    compares what it names, and nothing else.
    """
    own = [
        exp.If(this=exp.column("rule").eq(query.rule), true=tree.selects[1].unalias())
        for query, tree in zip(queries, trees, strict=True)
        if len(tree.selects) > 1
    ]
    otherwise = exp.column("resource_arn")
    if not own:
        return otherwise
    if queries[0].kind == "first_seen":
        return exp.Case(ifs=own, default=otherwise)
    return exp.func("COALESCE", exp.Case(ifs=own), otherwise)


def _joined(names: Sequence[exp.Expr]) -> exp.Expr:
    """Those of *names* that are not NULL, with commas between."""
    return exp.func("concat_ws", exp.Literal.string(","), *names, dialect="trino")


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


def framed(frame: str, nodes: Mapping[str, exp.Expr | list[exp.Expr]]) -> str:
    """The *frame* with each placeholder replaced by its node; several become arguments of the call around it."""
    tree = parse(_frame(frame))
    for placeholder in list(tree.find_all(exp.Placeholder)):
        if placeholder.name in nodes:
            placeholder.replace(nodes[placeholder.name])
    return tree.sql("trino", pretty=True, comments=False, copy=False)


def probe(table: str) -> str:
    """A statement that gives one row when *table* holds any record of the window, and none otherwise."""
    tree = parse(_frame("any_record"))
    for node in list(tree.find_all(exp.Table)):
        node.replace(exp.to_table(table))
    return tree.sql("trino")


@cache
def _frame(name: str) -> str:
    return (QUERIES / "frames" / f"{name}.sql").read_text(encoding="utf-8")
