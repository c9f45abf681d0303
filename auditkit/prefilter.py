"""What an event must be for any of some predicates to be true of it: conditions on few short columns, cheap to test.

Most rules name the calls they are about, and few of a day's calls are such: the others need no judging.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from sqlglot import exp

_CALL, _CALL_IN_LOWER_CASE = exp.column("event_name"), exp.Lower(this=exp.column("event_name"))
_SERVICE, _SERVICE_IN_LOWER_CASE = exp.column("event_source"), exp.Lower(this=exp.column("event_source"))
_SHORT = {"event_name", "event_source", "identity_type", "outcome"}


def of_service(predicate: exp.Expr) -> exp.Expr:
    """Which services' events *predicate* can be true of, as a condition; true, where it does not say."""
    for of in (_SERVICE, _SERVICE_IN_LOWER_CASE):
        if values := _named(predicate, of):
            return of.isin(*sorted({value.name for value in values}))
    return exp.true()


def worth_judging(predicates: Iterable[exp.Expr]) -> exp.Expr:
    """What an event must meet, or none of the *predicates* can be true of it; true, where one does not say."""
    named: dict[tuple[exp.Expr, exp.Expr], set[str]] = {}  # by what is named, and what else must hold
    others: list[exp.Expr] = []
    for predicate in predicates:
        for of in (_CALL, _CALL_IN_LOWER_CASE):
            if values := _named(predicate, of):
                named.setdefault((of, _only(predicate, {"outcome"})), set()).update(value.name for value in values)
                break
        else:
            others.append(_only(predicate, _SHORT))
    calls = [
        exp.and_(of.isin(*sorted(names)), *([more] if more != exp.true() else []))
        for (of, more), names in named.items()
    ]
    return exp.or_(*calls, *(part.copy() for part in dict.fromkeys(others)))


def _named(part: exp.Expr, of: exp.Expr) -> list[exp.Expr]:
    """The texts of which *of* is one wherever *part* is true: `of = '…'`, `of IN ('…', …)`, alone or with more."""
    if isinstance(part, exp.Paren):
        return _named(part.this, of)
    if isinstance(part, exp.And):
        return next(filter(None, (_named(each, of) for each in part.flatten())), [])
    if isinstance(part, exp.Or):
        found = [_named(each, of) for each in part.flatten()]
        return [value for values in found for value in values] if all(found) else []
    if not isinstance(part, exp.EQ | exp.In) or part.this != of:
        return []
    values = part.expressions if isinstance(part, exp.In) else [part.expression]
    return values if all(isinstance(value, exp.Literal) and value.is_string for value in values) else []


def _only(predicate: exp.Expr, names: Set[str]) -> exp.Expr:
    """Those conditions of *predicate* that look at the columns *names* only; true, if it has none."""
    parts = [part for part in _conjuncts(predicate) if {column.name for column in part.find_all(exp.Column)} <= names]
    return exp.and_(*(part.copy() for part in parts)) if parts else exp.true()


def _conjuncts(predicate: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(predicate, exp.Paren | exp.And):
        for part in predicate.flatten() if isinstance(predicate, exp.And) else [predicate.this]:
            yield from _conjuncts(part)
    else:
        yield predicate
