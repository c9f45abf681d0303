"""Values of Sigma rules as tests: Sigma compares without regard to case, and a value may hold wildcards."""

from __future__ import annotations

from collections.abc import Iterable

from sigma import types as sigma
from sqlglot import exp

from auditkit.errors import CatalogueError
from auditkit.sigma.nodes import Test, any_of, node, number, text
from auditkit.sigma.patterns import portable

_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_FLAGS = {
    sigma.SigmaRegularExpressionFlag.IGNORECASE: "i",
    sigma.SigmaRegularExpressionFlag.MULTILINE: "m",
    sigma.SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARISONS = {
    sigma.CompareOperators.LT: exp.LT,
    sigma.CompareOperators.LTE: exp.LTE,
    sigma.CompareOperators.GT: exp.GT,
    sigma.CompareOperators.GTE: exp.GTE,
    sigma.CompareOperators.NEQ: exp.NEQ,
}


def one_of(values: Iterable[sigma.SigmaType]) -> Test:
    """The test that a value passes when it is one of *values*.

    Raises: CatalogueError, for a value that has no meaning in SQL; ParameterError, for text that no engine carries.
    """
    exact: dict[bool, list[exp.Expr]] = {False: [], True: []}  # by whether case matters
    tests: list[Test] = []
    for value in _flat(values):
        is_cased = isinstance(value, sigma.SigmaCasedString)
        if (plain := _plain(value)) is not None:
            exact[is_cased].append(text(plain) if is_cased else _folded(plain))
        else:
            tests.append(_test(value))

    def passes(of: exp.Expr, json: exp.Expr | None) -> exp.Expr:
        found = [
            _equals(of.copy() if is_cased else exp.Lower(this=of.copy()), texts)
            for is_cased, texts in exact.items()
            if texts
        ]
        return any_of([*found, *(test(of, json) for test in tests)])

    return passes


def keyword(value: sigma.SigmaType) -> Test:
    """The test of all the text of an event for a keyword, which may stand anywhere in it."""
    if isinstance(value, sigma.SigmaRegularExpression):
        return _test(value)
    if not isinstance(value, sigma.SigmaString):
        value = sigma.SigmaString(_plain(value) or "")
    anywhere = sigma.SpecialChars.WILDCARD_MULTI
    return _test(anywhere + value + anywhere)


def _flat(values: Iterable[sigma.SigmaType]) -> Iterable[sigma.SigmaType]:
    for value in values:
        if isinstance(value, sigma.SigmaExpansion):
            yield from _flat(value.values)
        else:
            yield value


def _plain(value: sigma.SigmaType) -> str | None:
    """The text that *value* is, unless it is something else than text."""
    if isinstance(value, sigma.SigmaString) and all(isinstance(part, str) for part in value.s):
        return "".join(str(part) for part in value.s)
    if isinstance(value, sigma.SigmaBool):
        return "true" if value.boolean else "false"
    if isinstance(value, sigma.SigmaNumber) and not isinstance(value, sigma.SigmaTimestampPart):
        return str(value.number)
    return None


def _test(value: sigma.SigmaType) -> Test:
    if isinstance(value, sigma.SigmaString):
        return _like(value)
    if isinstance(value, sigma.SigmaRegularExpression):
        pattern = text(portable(str(value.regexp), "".join(_FLAGS[flag] for flag in value.flags)))
        return lambda of, _: exp.RegexpLike(this=of.copy(), expression=pattern.copy())
    if isinstance(value, sigma.SigmaCIDRExpression):
        network = text(str(value.network))
        return lambda of, _: node("contains(:network, TRY_CAST(:of AS IPADDRESS))", network=network, of=of)
    if isinstance(value, sigma.SigmaCompareExpression):
        compare, bound = _COMPARISONS[value.op], number(value.number.number)
        return lambda of, json: compare(this=_as_number(of, json), expression=bound.copy())
    raise CatalogueError(f"a value of type {type(value).__name__.removeprefix('Sigma')} has no meaning here.")


def _like(value: sigma.SigmaString) -> Test:
    is_cased, parts = isinstance(value, sigma.SigmaCasedString), []
    for part in value.s:
        if isinstance(part, sigma.Placeholder):
            raise CatalogueError(f"the placeholder %{part.name}% stands for values that the rule does not hold.")
        if isinstance(part, str):
            parts.append(part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_"))
        else:
            parts.append("%" if part == sigma.SpecialChars.WILDCARD_MULTI else "_")
    pattern = text("".join(parts)) if is_cased else _folded("".join(parts))
    is_escaped = "\\" in "".join(parts)

    def passes(of: exp.Expr, _: exp.Expr | None) -> exp.Expr:
        like = exp.Like(this=of.copy() if is_cased else exp.Lower(this=of.copy()), expression=pattern.copy())
        return exp.Escape(this=like, expression=exp.Literal.string("\\")) if is_escaped else like

    return passes


def _folded(value: str) -> exp.Expr:
    """*value* as `lower` gives it; where that is not known for sure, the engine is asked itself."""
    return text(value.lower()) if value.isascii() else exp.Lower(this=text(value))


def _equals(of: exp.Expr, texts: list[exp.Expr]) -> exp.Expr:
    return of.eq(texts[0].copy()) if len(texts) == 1 else exp.In(this=of, expressions=[one.copy() for one in texts])


def _as_number(of: exp.Expr, json: exp.Expr | None) -> exp.Expr:
    """Whatever JSON writes as a number, or what a column writes as a whole one; else NULL."""
    if json is None:
        return node("TRY_CAST(:of AS BIGINT)", of=of)
    is_number = exp.RegexpLike(this=of.copy(), expression=text(rf"\A{_NUMBER}\z"))
    number_of = node("TRY_CAST(:json AS DOUBLE)", json=json)
    return exp.Case(ifs=[exp.If(this=is_number, true=number_of)])
