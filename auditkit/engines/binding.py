"""Values into SQL: each `:name` becomes a typed literal node of the syntax tree, never text.

Log values are hostile and come back as parameters, so nothing here formats SQL: the nodes are written out by the same
generator that writes the statement. Every engine binds this way, so what is tested on one holds on all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from auditkit.errors import ParameterError, QueryError
from auditkit.model import Parameter

BIGINT_MIN, BIGINT_MAX = -(2**63), 2**63 - 1


def bind(tree: exp.Query, params: Mapping[str, Parameter]) -> exp.Query:
    """*tree* with every `:name` replaced, in place. `IN (:names)` takes a list; an empty one makes the IN false.

    Raises: ParameterError for a name without a value, a value without a name, or a value that does not fit its type.
    """
    placeholders = list(tree.find_all(exp.Placeholder))
    if any(not isinstance(placeholder.this, str) for placeholder in placeholders):
        raise QueryError("A bare `?` has no name to bind a value to. Write a named parameter such as :principal.")
    wanted = {placeholder.name for placeholder in placeholders}
    if missing := sorted(wanted - params.keys()):
        raise ParameterError(
            f"No value for {_names(missing)}. Values were given for: {_names(sorted(params)) or 'none'}."
        )
    if unknown := sorted(params.keys() - wanted):
        raise ParameterError(
            f"The SQL has no {_names(unknown)}. It takes: {_names(sorted(wanted)) or 'no parameters'}."
        )
    for placeholder in placeholders:
        _replace(placeholder, params[placeholder.name])
    return tree


def _names(names: list[str]) -> str:
    return ", ".join(f":{name}" for name in names)


def _replace(placeholder: exp.Placeholder, parameter: Parameter) -> None:
    if isinstance(placeholder.parent, exp.In) and placeholder.arg_key == "field":
        raise QueryError(f"IN takes its list in parentheses: write IN (:{placeholder.name}).")
    listed = placeholder.parent if placeholder.arg_key == "expressions" else None
    if not isinstance(listed, exp.In) or not parameter.type.startswith("array("):
        placeholder.replace(literal(placeholder.name, parameter))
        return
    scalar = parameter.type.removeprefix("array(").removesuffix(")")
    values = parameter.value if isinstance(parameter.value, list) else [parameter.value]
    literals = [literal(placeholder.name, Parameter(scalar, value)) for value in values]
    others = [node for node in listed.expressions if node is not placeholder]
    if literals or others:
        listed.set("expressions", others + literals)
    else:
        listed.replace(exp.false())


def literal(name: str, parameter: Parameter) -> exp.Expression:
    """The node that stands for *parameter* in Trino SQL; *name* is for the error text.

    Raises: ParameterError, when the value is not of the parameter's type.
    """
    kind, value = parameter.type, parameter.value
    try:
        if value is None:
            return exp.cast(exp.null(), exp.DataType.build(kind, dialect="trino"))
        if kind.startswith("array("):
            return _array(name, kind, value)
        return _LITERALS[kind](value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"{kind!r} is not a parameter type" if isinstance(error, KeyError) else str(error)
        raise ParameterError(f":{name} does not accept {_shown(value)}: {reason}.") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _array(name: str, kind: str, value: object) -> exp.Expression:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    if any(item is None for item in value):
        raise ValueError("a list holds no NULL, since IN never matches one")
    scalar = kind.removeprefix("array(").removesuffix(")")
    array = exp.Array(expressions=[literal(name, Parameter(scalar, item)) for item in value])
    return array if value else exp.cast(array, exp.DataType.build(kind, dialect="trino"))


def _varchar(value: Any) -> exp.Expression:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    if "\0" in value:
        raise ValueError("no engine carries a NUL character")
    value.encode()  # a lone surrogate has no UTF-8 form: UnicodeEncodeError is a ValueError
    return exp.Literal.string(value)


def _bigint(value: Any) -> exp.Expression:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is expected")
    if not BIGINT_MIN <= value <= BIGINT_MAX:
        raise ValueError("it does not fit in 64 bits")
    return _number(str(abs(value)), negative=value < 0)


def _double(value: Any) -> exp.Expression:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("a number is expected")
    if not math.isfinite(value):
        raise ValueError("a finite number is expected")
    digits = repr(abs(float(value)))
    negative = math.copysign(1, value) < 0  # zero has a sign, too
    return _number(digits if "e" in digits else f"{digits}e0", negative=negative)  # without an exponent, a decimal


def _number(digits: str, *, negative: bool) -> exp.Expression:
    number = exp.Literal.number(digits)
    return exp.Paren(this=exp.Neg(this=number)) if negative else number


def _boolean(value: Any) -> exp.Expression:
    if not isinstance(value, bool):
        raise TypeError("true or false is expected")
    return exp.true() if value else exp.false()


def _timestamp(value: Any) -> exp.Expression:
    if not isinstance(value, datetime):
        raise TypeError("a time is expected")
    if value.tzinfo is None:
        raise ValueError("it has no time zone, so it could mean any of a day's hours")
    moment = value.astimezone(UTC).replace(tzinfo=None)
    digits = 3 if moment.microsecond % 1000 == 0 else 6  # three is what Athena's own timestamps hold
    text = moment.isoformat(sep=" ", timespec="milliseconds" if digits == 3 else "microseconds")
    return exp.cast(exp.Literal.string(text), exp.DataType.build(f"timestamp({digits})", dialect="trino"))


_LITERALS: dict[str, Callable[[Any], exp.Expression]] = {
    "varchar": _varchar,
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
}
