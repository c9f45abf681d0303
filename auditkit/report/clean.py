"""Characters that hide or reorder text become visible, so that a log value looks like what it is."""

from __future__ import annotations

import re
from typing import Any

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but line feed and tab; some of them abort drawing libraries
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: they turn txt.exe into exe.txt
    "\u00ad\u034f\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"  # drawn as nothing
    "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters drawn as a gap
    "\u2028\u2029\ud800-\udfff\ufdd0-\ufdef"  # line separators, lone surrogates, noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clean(text: str) -> str:
    """*text* with control, bidi, zero-width and other hidden characters as `\\u202e`; line feed and tab stay."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_visible, text)


def clean_values(value: Any) -> Any:
    """`clean` for every string inside lists and mappings, keys included; tuples become lists."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean_values(key): clean_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_values(item) for item in value]
    return value
