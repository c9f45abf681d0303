"""Regular expressions of Sigma rules, in the words that RE2 (DuckDB) and Joni (Trino, Athena) read alike.

Both search, so nothing is anchored. What RE2 cannot do, such as look-around, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from auditkit.errors import CatalogueError

_QUIET = re2.Options()
_QUIET.log_errors = False
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r" \t\n\r\f\v"}  # of ASCII in RE2, and of Unicode in Joni
_ESCAPES = set("tnrfbBA") | set(r".\+*?()|[]{}^$-/\"'#&~@%,:;<>=! _`")
_TOKEN = re.compile(r"\\.|\(\?|\[\^?\]?|.", re.DOTALL)
_GROUP = re.compile(r"\(\?(:|[ims]+[:)])")


def portable(pattern: str, flags: str = "") -> str:
    """*pattern* with the same meaning on every engine; *flags* are letters of `ims`.

    Raises: CatalogueError, naming what has none.
    """
    is_multiline = "m" in flags or any("m" in found[1] for found in _GROUP.finditer(pattern))
    prefix = f"(?{''.join(sorted(flags))})" if flags else ""
    written = prefix + "".join(_written(pattern, is_multiline))
    try:
        re2.compile(written, _QUIET)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise CatalogueError(f"the regular expression {pattern!r} is not one for RE2: {reason}") from None
    return written


def _written(pattern: str, is_multiline: bool) -> Iterator[str]:
    in_class, at = False, 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        assert found
        token, at = found[0], found.end()
        if in_class and len(token) > 1 and not token.startswith("\\"):
            token, at = token[0], at - len(token) + 1
        if token.startswith("\\"):
            yield _escape(token, in_class)
        elif in_class:
            in_class = token != "]"
            yield f"\\{token}" if token in "[&" else token  # a set of sets in Joni
        elif token == "(?":
            if not (group := _GROUP.match(pattern, at - 2)):
                raise CatalogueError(f"the regular expression {pattern!r} has a group that engines read differently.")
            yield group[0]
            at = group.end()
        elif token.startswith("["):
            in_class = True
            if pattern.startswith("[:", found.start() + len(token)):
                raise CatalogueError(f"the regular expression {pattern!r} has a [:class:]: spell it out.")
            yield token.replace("]", r"\]")
        elif token == "$" and not is_multiline:
            yield r"(?:\n?\z)"  # before a last newline, too, as everywhere but in RE2
        else:
            yield token


def _escape(token: str, in_class: bool) -> str:
    letter = token[1:]
    if letter in _CLASSES:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not in_class:
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in _ESCAPES or (letter == "z" and not in_class):
        return token
    raise CatalogueError(f"the regular expression escape {token!r} is read differently by engines.")
