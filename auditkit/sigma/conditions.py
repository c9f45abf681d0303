"""The condition of a Sigma rule as a predicate over one event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sigma import conditions as sigma
from sigma.rule import SigmaRule
from sigma.types import SigmaExists, SigmaFieldReference, SigmaNull, SigmaTimestampPart, SigmaType, TimestampPart
from sqlglot import exp

from auditkit.errors import CatalogueError
from auditkit.sigma.fields import Field, field, spoken
from auditkit.sigma.nodes import any_of, false_if_null, node, text
from auditkit.sigma.values import keyword, one_of

_PARTS = {
    TimestampPart.MINUTE: "%i",
    TimestampPart.HOUR: "%H",
    TimestampPart.DAY: "%d",
    TimestampPart.MONTH: "%m",
    TimestampPart.YEAR: "%Y",
}
_REFERENCES = {  # starts with, ends with
    (False, False): "lower(:one) = lower(:other)",
    (True, False): "starts_with(lower(:one), lower(:other))",
    (False, True): "starts_with(reverse(lower(:one)), reverse(lower(:other)))",
    (True, True): "strpos(lower(:one), lower(:other)) > 0",
}


def predicate(rule: SigmaRule) -> exp.Expr:
    """What the rule says of an event: true, or else false or NULL.

    Raises: SigmaError, CatalogueError, ParameterError, when it cannot be said in SQL.
    """
    return any_of([_condition(_tree(condition)) for condition in rule.detection.parsed_condition])


def fields_of(rule: SigmaRule) -> set[str]:
    """The names of the fields that the rule looks at."""
    return {name for condition in rule.detection.parsed_condition for name in _names(_tree(condition))}


def _tree(condition: sigma.SigmaCondition) -> object:
    if (tree := condition.parsed) is None:
        raise CatalogueError("its condition says nothing.")
    return tree


def _names(tree: object) -> Iterator[str]:
    if isinstance(tree, sigma.ConditionFieldEqualsValueExpression):
        yield tree.field
    elif isinstance(tree, sigma.ConditionItem):
        for arg in tree.args:
            yield from _names(arg)


def _condition(tree: object) -> exp.Expr:
    if isinstance(tree, sigma.ConditionAND):
        return exp.and_(*map(_condition, tree.args))
    if isinstance(tree, sigma.ConditionOR):
        return any_of(_alternatives(tree.args))
    if isinstance(tree, sigma.ConditionNOT):  # what is not there is not so
        return exp.not_(false_if_null(_condition(tree.args[0])))
    if isinstance(tree, sigma.ConditionFieldEqualsValueExpression):
        return _is_one_of(tree.field, [tree.value])
    if isinstance(tree, sigma.ConditionValueExpression):
        return Field(spoken(), is_json=True).passes(keyword(tree.value))
    raise CatalogueError(f"its condition has a {type(tree).__name__}, which is not known.")


def _alternatives(args: Sequence[object]) -> Iterator[exp.Expr]:
    """The conditions of an OR, values of one field together."""
    of_fields: dict[str, list[SigmaType]] = {}
    for arg in args:
        if isinstance(arg, sigma.ConditionFieldEqualsValueExpression):
            of_fields.setdefault(arg.field, []).append(arg.value)
        else:
            yield _condition(arg)
    for name, values in of_fields.items():
        yield _is_one_of(name, values)


def _is_one_of(name: str, values: list[SigmaType]) -> exp.Expr:
    where = field(name)
    texts: list[SigmaType] = []
    found: list[exp.Expr] = []
    for value in values:
        if isinstance(value, SigmaNull):
            found.append(exp.not_(exp.paren(where.has_value)))
        elif isinstance(value, SigmaExists):
            found.append(where.exists if value.exists else exp.not_(exp.paren(where.exists)))
        elif isinstance(value, SigmaFieldReference):
            found.append(_refers(where, value))
        elif isinstance(value, SigmaTimestampPart):
            found.append(_is_at(name, value))
        else:
            texts.append(value)
    if texts:
        found.append(where.passes(one_of(texts)))
    return any_of(found)


def _refers(where: Field, to: SigmaFieldReference) -> exp.Expr:
    return node(_REFERENCES[to.starts_with, to.ends_with], one=where.text, other=field(to.field).text)


def _is_at(name: str, value: SigmaTimestampPart) -> exp.Expr:
    if name != "eventTime":
        raise CatalogueError(f"parts of a time are known of eventTime alone, not of {name!r}.")
    if not (part := _PARTS.get(value.timestamp_part)):
        raise CatalogueError("engines number the weeks of a year differently.")
    return node("date_format(event_time, :part) = :value", part=text(part), value=text(f"{value.number:02}"))
