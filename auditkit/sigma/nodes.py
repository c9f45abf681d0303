"""SQL of Sigma rules as nodes of a tree: what a rule file says enters it as a literal, never as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sqlglot
from sqlglot import exp

from auditkit.engines.binding import literal
from auditkit.model import Parameter

Test = Callable[["exp.Expr", "exp.Expr | None"], "exp.Expr"]  # of a value's text, and of its JSON where it has some


def node(sql: str, **parts: exp.Expr) -> exp.Expr:
    """The tree of *sql*, an expression of ours, with each `:name` replaced. The parts are calls, columns, literals."""
    tree = sqlglot.parse_one(sql, read="trino")
    for placeholder in list(tree.find_all(exp.Placeholder)):
        placeholder.replace(parts[placeholder.name].copy())
    return tree


def text(value: str) -> exp.Expr:
    """Raises: ParameterError, for what no engine carries."""
    return literal("value", Parameter("varchar", value))


def number(value: float) -> exp.Expr:
    return literal("value", Parameter("double", value))


def any_of(conditions: Iterable[exp.Expr]) -> exp.Expr:
    """One of *conditions*, of which there is at least one."""
    return exp.or_(*conditions)


def false_if_null(condition: exp.Expr) -> exp.Expr:
    return exp.func("COALESCE", condition, exp.false())
