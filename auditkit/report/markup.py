"""The one place where values become HTML: the Jinja environment, autoescape on, and its filters."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, tzinfo
from typing import Any

import jinja2
from jinja2.runtime import Context
from markupsafe import Markup, escape

_BREAK_AFTER = re.compile(r"(?<=[/:,=&?])(?=[^\s/:])")
_PLAIN_NUMBER = re.compile(r"(^|_)(ids?|port|srcport|dstport|protocol|version|account|year|code|flags|type)$")
_SQL = re.compile(r"(?P<c>--[^\n]*)|(?P<s>'(?:[^']|'')*')|(?P<n>\b\d+(?:\.\d+)?\b)|(?P<k>\b[A-Z]{2,}\b)")


def breakable(text: Any) -> Markup:
    """Text that may wrap after the joints of an ARN or a path; the text itself, when copied, stays the same."""
    parts = _BREAK_AFTER.split(str(text))
    return Markup("<wbr>").join(parts) if len(str(text)) > 24 else escape(text)


def coded(text: str) -> Markup:
    """Text whose words between backticks are commands."""
    parts = str(text).split("`")
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


def width(grid: dict[str, Any], index: int) -> str:
    """How much room a column's text needs: `long`, `middle` or ``."""
    longest = max((len(str(row[index])) for row in grid["rows"]), default=0)
    return "long" if longest > 60 else "middle" if longest > 26 else ""


def number(value: Any, name: str = "") -> str:
    """Thousands separators, except where the number is a name: a port, an id, a code. Text passes through."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return str(value) if _PLAIN_NUMBER.search(name) else f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"


@jinja2.pass_context
def moment(context: Context, iso: str) -> str:
    """`2026-11-01 09:00:00` of ISO text, in the report's zone; the reader is told of the zone elsewhere."""
    try:
        local = datetime.fromisoformat(iso).astimezone(_zone(context))
    except (ValueError, OverflowError):  # a day before the first, or after the last, that Python knows
        return iso.replace("T", " ")
    return local.replace(tzinfo=None).isoformat(" ")


@jinja2.pass_context
def span(context: Context, first: str, last: str) -> str:
    """Two moments as one phrase in the report's zone, the day said once when it is the same."""
    zone = _zone(context)
    try:
        start, end = (datetime.fromisoformat(iso).astimezone(zone) for iso in (first, last))
    except (ValueError, OverflowError):
        return f"{first} – {last}"
    if start == end:
        return f"{start:%Y-%m-%d %H:%M:%S} {zone}"
    if start.date() == end.date():
        return f"{start:%Y-%m-%d %H:%M:%S} – {end:%H:%M:%S} {zone}"
    return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M} {zone}"


def _zone(context: Context) -> tzinfo:
    """The zone that times are shown in; UTC where nothing else was asked for."""
    zone: tzinfo = context.get("zone") or UTC
    return zone


def short(arn: str) -> str:
    """What a person calls a principal or a resource: the end of its ARN (`role/deploy`), without the path of a role."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not arn.startswith("arn:") or not parts[5]:
        return arn
    kind, _, name = parts[5].partition("/")
    return f"{kind}/{name.rsplit('/', 1)[-1]}" if kind in ("role", "user", "assumed-role") else parts[5]


def size(count: float) -> str:
    """Bytes in words: `1.9 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            return f"{count:,.0f} B" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return ""


def highlighted(sql: str) -> Markup:
    """SQL with comments, text, numbers and upper-case words in spans."""
    html, end = Markup(""), 0
    for match in _SQL.finditer(sql):
        html += escape(sql[end : match.start()])
        html += Markup('<span class="sql-{}">{}</span>').format(match.lastgroup, match[0])
        end = match.end()
    return html + escape(sql[end:])


def inert_json(value: Any) -> Markup:
    """JSON for a script tag of type application/json: nothing in it can end the tag or start markup."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("auditkit.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (breakable, coded, width, number, moment, span, short, size, highlighted, inert_json)
    environment.filters |= {function.__name__: function for function in filters}
    return environment


TEMPLATES = _environment()
