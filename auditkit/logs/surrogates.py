"""Lone surrogates: half a character, which JSON can spell and no UTF-8 text can hold."""

from __future__ import annotations

import re

# A high surrogate without its low one, or a low one without its high one, behind an even number of backslashes.
_LONE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def replaced(text: bytes) -> bytes:
    """The JSON text with the replacement character for each lone surrogate: any caller can put one into a user agent,
    and strict readers, DuckDB's among them, then refuse the whole text.
    """
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _LONE.sub(lambda match: match[0] if match[2] else match[1] + rb"\ufffd", text)
