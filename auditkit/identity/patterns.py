"""Patterns of IAM: `*` for any text, `?` for one character; `${*}`, `${?}` and `${$}` for those characters."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 1600  # characters of an ARN in a policy; AWS's own end at 2,048, S3's keys at 1,024
_SPECIAL = re.compile(r"[*?]|\$(?=\{)")
_UNFIT = re.compile(r"[^\x20-\x7e]")  # a policy takes more, and a size in characters is sure for these alone
_CUT = re.compile(r"\$(\{[*?$]?)?$")  # the beginning of a character that was cut in two
_TOKEN = re.compile(r"\$\{([*?$])\}|[*?]")


def literal(text: str) -> str:
    """*text* out of a log as a pattern that means that text, or the nearest wider one.

    What a policy may not hold, or may hold in more than one way, is any one character; what is too long ends in `*`.
    """
    fit = _SPECIAL.sub(lambda match: f"${{{match[0]}}}", _UNFIT.sub("\0", text)).replace("\0", "?")
    if len(fit) <= LONGEST:
        return fit
    return _CUT.sub("", fit[:LONGEST]) + "*"


@lru_cache(maxsize=8192)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts, last = [], 0
    for token in _TOKEN.finditer(pattern):
        wild = {"*": ".*", "?": "."}.get(token[0]) or re.escape(token[1])
        parts += [re.escape(pattern[last : token.start()]), wild]
        last = token.end()
    text = "".join([*parts, re.escape(pattern[last:])])
    return re.compile(re.sub(r"(\.\*)+", ".*", text), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether *text* is what *pattern* means. IAM compares actions without case, and resources with it."""
    return bool(_compiled(pattern, ignore_case).fullmatch(text))


def covers(pattern: str, other: str) -> bool:
    """Whether all that *other* means is surely meant by *pattern*, too: `a*` covers `ab*`."""
    if pattern in ("*", other):
        return True
    if re.search(r"[*?]", _TOKEN.sub(lambda token: "" if token[1] else token[0], other)):
        return pattern.endswith("*") and not _TOKEN.search(pattern[:-1]) and other.startswith(pattern[:-1])
    return matches(pattern, _TOKEN.sub(lambda token: token[1] or "", other))
