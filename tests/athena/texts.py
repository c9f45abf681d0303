"""How Athena writes values: as text in cells and CSV files, under its own names of types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def type_name(trino: str) -> str:
    """Trino's `array(varchar)` or `timestamp(3) with time zone` as ColumnInfo has it: the outermost name."""
    if trino.startswith("timestamp"):
        return "timestamp with time zone" if "with time zone" in trino else "timestamp"
    return re.sub(r"\(.*", "", trino)


def cell(value: Any) -> str | None:
    """The text of a value; None for NULL."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        digits = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
        return value.replace(tzinfo=None).isoformat(" ", digits) + (" UTC" if value.tzinfo else "")
    if isinstance(value, float):
        return double(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, list):
        return f"[{', '.join(_inside(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}={_inside(item)}' for name, item in value.items())}}}"
    assert isinstance(value, str | int | Decimal | date), type(value)
    return str(value)


def _inside(value: Any) -> str:
    text = cell(value)
    return "null" if text is None else text


def double(value: float) -> str:
    """As Java writes a double: `1.0E7`, `0.001`, `NaN`, `Infinity`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        shown = format(Decimal(repr(value)), "f")
        return shown if "." in shown else f"{shown}.0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = exponent + len(digits) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A result file: all in quotes, and nothing at all for NULL."""
    lines = [",".join(map(_quoted, names)), *(",".join(_quoted(cell(value)) for value in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'
