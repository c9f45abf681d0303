"""Correlations of Sigma rules as aggregate rules: so many events, so many values, or several rules within a time.

A span may begin with any event of its group, and holds what follows within the time, its end included. What is compared
with a number is the span that holds most, so `gte: 5` means that there are five somewhere, and `lt: 5` that there never
are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.rule import SigmaRule
from sqlglot import exp

from auditkit.engines.dialect import parse
from auditkit.errors import CatalogueError
from auditkit.resources import QUERIES
from auditkit.sigma.conditions import predicate
from auditkit.sigma.fields import field
from auditkit.sigma.nodes import any_of, text

_MEASURES = {  # by which of the ways of the frame a span is measured
    SigmaCorrelationType.EVENT_COUNT: "event_count",
    SigmaCorrelationType.VALUE_COUNT: "value_count",
    SigmaCorrelationType.TEMPORAL: "value_count",  # of rules
    SigmaCorrelationType.TEMPORAL_ORDERED: "ordered",
}
_NEEDED = {
    "event_count": ("event_count",),
    "value_count": ("seen", "changes", "changed", "value_count"),
    "ordered": ("last_step", "step", "ordered"),
}
_OPERATORS = {
    SigmaCorrelationConditionOperator.LT: exp.LT,
    SigmaCorrelationConditionOperator.LTE: exp.LTE,
    SigmaCorrelationConditionOperator.GT: exp.GT,
    SigmaCorrelationConditionOperator.GTE: exp.GTE,
    SigmaCorrelationConditionOperator.EQ: exp.EQ,
    SigmaCorrelationConditionOperator.NEQ: exp.NEQ,
}
_UNITS = {"DAY": 86_400, "HOUR": 3_600, "SECOND": 1}


def correlated(correlation: SigmaCorrelationRule) -> str:
    """The SQL of a correlation whose references are resolved.

    Raises: SigmaError, CatalogueError, ParameterError, when it cannot be said in SQL.
    """
    measure = _MEASURES.get(correlation.type)
    if measure is None:
        raise CatalogueError(f"a correlation of type {correlation.type} is not translated.")
    condition = correlation.condition
    if not isinstance(condition, SigmaCorrelationCondition):
        raise CatalogueError("a correlation whose condition is an expression is not translated; name a count.")
    rules = _rules(correlation)
    met = [predicate(rule) for _, rule in rules]
    if measure == "ordered" and (condition.op.name, condition.count) not in (("GTE", len(rules)), ("EQ", len(rules))):
        raise CatalogueError(f"rules in an order are looked for all together: its condition is gte: {len(rules)}.")
    nodes: dict[str, exp.Expr | list[exp.Expr]] = {
        "met": any_of([one.copy() for one in met]),
        "fired": _fired(met, each=measure == "ordered" or correlation.type is SigmaCorrelationType.TEMPORAL),
        "group_key": exp.Array(
            expressions=[_value(name, correlation, rules) for name in correlation.group_by or ()] or [text("")]
        ),
        "counted": _counted(correlation, condition, rules),
        "span": _interval(correlation.timespan.seconds),
        "enough": _OPERATORS[condition.op](this=exp.column("size"), expression=_count(condition)),
        "largest_enough": _OPERATORS[condition.op](this=exp.column("largest"), expression=_count(condition)),
        "steps": exp.Literal.number(str(len(rules))),
        "last_step": text(str(len(rules))),
    }
    return _framed(measure, nodes, steps=len(rules))


def _rules(correlation: SigmaCorrelationRule) -> list[tuple[str, SigmaRule]]:
    """The rules by the names that the correlation calls them, each once."""
    found = {reference.reference: reference.rule for reference in correlation.referenced_rules}
    if len(found) < len(correlation.referenced_rules):
        raise CatalogueError("it names a rule twice.")
    rules = [(name, rule) for name, rule in found.items() if isinstance(rule, SigmaRule)]
    if len(rules) < len(found):
        raise CatalogueError("a correlation of correlations is not translated.")
    if not rules:
        raise CatalogueError("it names no rules.")
    return rules


def _fired(met: Sequence[exp.Expr], *, each: bool) -> exp.Expr:
    """The numbers of all rules that an event meets, or of the first one, where events are counted and not rules."""
    numbered = [exp.If(this=one.copy(), true=text(str(at))) for at, one in enumerate(met, start=1)]
    if each:
        return exp.func("concat_ws", text(","), *(exp.Case(ifs=[one]) for one in numbered), dialect="trino")
    return exp.Case(ifs=numbered)


def _value(name: str, correlation: SigmaCorrelationRule, rules: Sequence[tuple[str, SigmaRule]]) -> exp.Expr:
    """The value of a field, or of what each rule means by an alias."""
    alias = correlation.aliases.aliases.get(name)
    if alias is None:
        return field(name).text
    meant = {reference.reference: of for reference, of in alias.mapping.items()}
    if missing := [called for called, _ in rules if called not in meant]:
        raise CatalogueError(f"the alias {name} does not say which field of {missing[0]} is meant.")
    return exp.Case(
        ifs=[
            exp.If(this=exp.column("rule").eq(str(at)), true=field(meant[called]).text)
            for at, (called, _) in enumerate(rules, start=1)
        ]
    )


def _counted(
    correlation: SigmaCorrelationRule,
    condition: SigmaCorrelationCondition,
    rules: Sequence[tuple[str, SigmaRule]],
) -> exp.Expr:
    if correlation.type is not SigmaCorrelationType.VALUE_COUNT:
        return exp.column("rule")
    if not isinstance(condition.fieldref, str):
        raise CatalogueError("values of one field are counted; its condition names several.")
    return _value(condition.fieldref, correlation, rules)


def _count(condition: SigmaCorrelationCondition) -> exp.Expr:
    if isinstance(condition.count, float):
        raise CatalogueError(f"{condition.count} is no count.")
    return exp.Literal.number(str(condition.count))


def _interval(seconds: int) -> exp.Expr:
    unit, length = next(one for one in _UNITS.items() if seconds % one[1] == 0)
    return exp.Interval(this=exp.Literal.string(str(seconds // length)), unit=exp.Var(this=unit))


def _framed(measure: str, nodes: Mapping[str, exp.Expr | list[exp.Expr]], *, steps: int) -> str:
    """The frame with one way to measure a span, and each placeholder replaced by its node."""
    tree = parse(_frame())
    every = {name for needed in _NEEDED.values() for name in needed}
    ctes = [cte for cte in tree.ctes if cte.alias not in every or cte.alias in _NEEDED[measure]]
    if measure == "ordered":
        ctes = [cast(exp.CTE, each) for cte in ctes for each in (_steps(cte, steps) if cte.alias == "step" else [cte])]
    tree.args["with_"].set("expressions", ctes)
    for table in list(tree.find_all(exp.Table)):
        if table.name == "spans":
            table.replace(exp.to_table(measure))
        elif table.name == "first_step":
            table.replace(exp.to_table("step_1" if steps > 1 else "last_step"))
    for placeholder in list(tree.find_all(exp.Placeholder)):
        made = nodes[placeholder.name]
        placeholder.replace(made.copy() if isinstance(made, exp.Expr) else made)
    return tree.sql("trino", pretty=True, comments=False)


def _steps(template: exp.Expr, steps: int) -> list[exp.Expr]:
    """A CTE for each rule before the last one, from the last but one back to the first."""
    made = []
    for at in range(steps - 1, 0, -1):
        step = template.copy()
        step.set("alias", exp.TableAlias(this=exp.to_identifier(f"step_{at}")))
        for table in list(step.find_all(exp.Table)):
            table.replace(exp.to_table(f"step_{at + 1}" if at + 1 < steps else "last_step"))
        for placeholder in list(step.find_all(exp.Placeholder)):
            placeholder.replace(text(str(at)))
        made.append(step)
    return made


@cache
def _frame() -> str:
    return (QUERIES / "frames" / "sigma_correlation.sql").read_text(encoding="utf-8")
