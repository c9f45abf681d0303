"""Views: what several questions read, and no log has as a table.

A file of queries/views/ is one SELECT over the two tables, or over other views; its name is the file's. A statement
that reads a view gets its SELECT as a CTE in front, so that what is run, and shown, needs nothing but the two tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlglot import exp

from auditkit.engines.headed import headed
from auditkit.resources import QUERIES


class View(NamedTuple):
    """One file of queries/views/."""

    header: Mapping[str, Any]  # title, about
    select: exp.Query


@cache
def views() -> Mapping[str, View]:
    """Every view by its name."""
    return {path.stem: View(*headed(path)) for path in sorted((QUERIES / "views").glob("*.sql"))}


def with_views(tree: exp.Query) -> exp.Query:
    """*tree* with the views that it reads in front, each behind those that it reads itself; in place.

    A name that the statement gives to a CTE of its own is that CTE.
    """
    found: dict[str, exp.Query] = {}
    _add(tree, found)
    if found:
        ctes = [exp.CTE(this=view, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, view in found.items()]
        own = tree.args.get("with_") or exp.With(expressions=[])
        own.set("expressions", ctes + own.expressions)
        tree.set("with_", own)
    return tree


def is_plain(table: exp.Table) -> bool:
    """Whether *table* is a bare name, and no function, file or table of another place."""
    return isinstance(table.this, exp.Identifier) and not table.args.get("db")


def ctes_in_sight(table: exp.Table) -> Iterator[str]:
    """Names of the CTEs of every query around *table*."""
    node: exp.Expr | None = table
    while node is not None:
        if isinstance(node, exp.Query):
            yield from (cte.alias.lower() for cte in node.ctes)
        node = node.parent


def _add(tree: exp.Query, found: dict[str, exp.Query]) -> None:
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if is_plain(table) and name in views() and name not in found and name not in ctes_in_sight(table):
            view = views()[name].select.copy()
            _add(view, found)
            found[name] = view
