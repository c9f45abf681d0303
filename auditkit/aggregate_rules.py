"""What many aggregate rules count, as one statement, so that a hundred of them read the events once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from auditkit.catalogue import Query
from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse
from auditkit.engines.sources import read_anyway
from auditkit.match_rules import Bound, framed
from auditkit.model import Parameter
from auditkit.prefilter import worth_judging
from auditkit.schema import TABLES

TABLE = "cloudtrail_events"


def worth_counting(queries: Sequence[Query], bound: Bound) -> tuple[list[Query], str]:
    """Those of *queries* that say which events they are about, and the statement that gives the events of all of them.

    The others look at every event, or at flow records.
    """
    narrow, conditions = [], []
    for query in queries:
        predicates = _predicates(query, bound[query.rule])
        if predicates and all(worth_judging([predicate]) != exp.true() for predicate in predicates):
            narrow.append(query)
            conditions += predicates
    if not narrow:
        return [], ""
    return narrow, framed("worth_counting", {"columns": _columns(narrow), "worth_counting": worth_judging(conditions)})


def _columns(queries: Sequence[Query]) -> list[exp.Expr]:
    """Every column of the table; NULL for those that nobody reads, of which some are as long as all others."""
    read = {column.name for query in queries for column in parse(query.sql).find_all(exp.Column)} | read_anyway(TABLE)
    return [
        exp.column(column.name)
        if column.name in read
        else exp.alias_(exp.cast(exp.null(), column.type, dialect="trino"), column.name)
        for column in TABLES[TABLE].columns
    ]


def _predicates(query: Query, params: Mapping[str, Parameter]) -> list[exp.Expr]:
    """What the rule says of the events wherever it reads them; nothing, when it says it in a way not understood."""
    if query.reads != (TABLE,):
        return []
    found = []
    tree = bind(parse(query.sql), params)
    for table in tree.find_all(exp.Table):
        if table.name != TABLE:
            continue
        select = table.find_ancestor(exp.Select)
        if select is None or not isinstance(table.parent, exp.From) or "where" not in select.args:
            return []
        if table.alias and table.alias != TABLE:
            return []  # its columns may be called otherwise
        found.append(select.args["where"].this)
    return found
