"""How folders spell days: in Java's patterns, which table properties have, and in Python's."""

from __future__ import annotations

import re
from datetime import datetime

_JAVA = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_LETTERS = re.compile(r"'([^']*)'|([A-Za-z])\2*")
# What a key may look like that does not tell, the longest first.
_SEEN = (
    *("%Y/%m/%d/%H", "%Y-%m-%d-%H", "%Y-%m-%dT%H", "%Y-%m-%d %H", "%Y%m%d%H"),
    *("%Y/%m/%d", "%Y-%m-%d", "%Y%m%d", "%d-%m-%Y", "%d/%m/%Y", "%Y.%m.%d", "%Y_%m_%d"),
)


def strftime(java: str) -> str | None:
    """Java's pattern of a time as Python's: `yyyy/MM/dd` is `%Y/%m/%d`. None, when it has no day, or odd parts."""
    pieces = [found[1] if found[1] is not None else _JAVA.get(found[0]) for found in _LETTERS.finditer(java)]
    if None in pieces or not {"%Y", "%m", "%d"} <= set(pieces):
        return None
    spelled = iter(pieces)
    return _LETTERS.sub(lambda _: str(next(spelled)), java)


def seen_in(value: str) -> str | None:
    """The form of *value*, one of a key's own; None, when it is no day in a form that is known."""
    for form in _SEEN:
        try:
            if datetime.strptime(value, form).strftime(form) == value:
                return form
        except ValueError:
            continue
    return None
