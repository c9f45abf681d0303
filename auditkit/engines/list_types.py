"""What lists are made of, where sqlglot leaves it open: annotators for `typed`."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.optimizer.annotate_types import annotate_types


def with_type(node: exp.Expr, kind: Any) -> exp.Expr:
    node.type = kind
    return node


def _item(kind: exp.DataType | None) -> Any:
    return kind.expressions[0] if kind is not None and kind.is_type(exp.DType.ARRAY) and kind.expressions else "unknown"


def _list_of(kind: exp.DataType | None) -> Any:
    """A list of those; of what is unknown, one without a type of its items."""
    known = kind is not None and not kind.is_type(exp.DType.UNKNOWN)
    return exp.DataType(this=exp.DType.ARRAY, expressions=[kind.copy()] if kind and known else [], nested=True)


def _same(_: Any, node: exp.Expr) -> exp.Expr:
    return with_type(node, node.this.type or "unknown")


def _collected(_: Any, node: exp.ArrayAgg) -> exp.Expr:
    value = node.this.this if isinstance(node.this, exp.Order) else node.this
    if isinstance(value, exp.Distinct):
        value = value.expressions[0]
    return with_type(node, _list_of(value.type))


def _transformed(_: Any, node: exp.Transform) -> exp.Expr:
    """A list of what the lambda makes of an item."""
    function = node.expression
    if not isinstance(function, exp.Lambda):
        return with_type(node, _list_of(None))
    made = function.this.type
    if made is None or made.is_type(exp.DType.UNKNOWN):
        item = exp.cast(exp.null(), _item(node.this.type))
        names = {argument.name for argument in function.expressions}
        body = function.this.copy().transform(lambda part: item.copy() if _is_name(part, names) else part)
        made = annotate_types(body, expression_metadata=_OF_A_BODY, dialect="trino").type
    return with_type(node, _list_of(made))


def _is_name(node: exp.Expr, names: set[str]) -> bool:
    return isinstance(node, exp.Column | exp.Identifier) and node.name in names


LISTS: dict[type[exp.Expr], dict[str, Any]] = {
    exp.ArrayAgg: {"annotator": _collected},
    exp.ArrayDistinct: {"annotator": _same},
    exp.ArrayExcept: {"annotator": _same},
    exp.ArrayFilter: {"annotator": _same},
    exp.ArrayRemove: {"annotator": _same},
    exp.ArraySlice: {"annotator": _same},
    exp.ArraySort: {"annotator": _same},
    exp.Reverse: {"annotator": _same},
    exp.Flatten: {"annotator": lambda _, node: with_type(node, _item(node.this.type))},
    exp.Repeat: {"annotator": lambda _, node: with_type(node, _list_of(node.this.type))},
    exp.Transform: {"annotator": _transformed},
}
_OF_A_BODY = {**Trino.EXPRESSION_METADATA, **LISTS}
