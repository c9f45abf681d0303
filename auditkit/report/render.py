"""An executed notebook becomes one HTML file that loads nothing from outside. A pure function: no clock, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from nbformat import NotebookNode

from auditkit.report.cells import safe_values
from auditkit.report.markup import TEMPLATES, inert_json
from auditkit.report.page import read_page
from auditkit.report.vega import bundle

META = ("title", "window", "scope", "generated", "version")


@cache
def _static(name: str) -> str:
    return (files("auditkit.report") / "static" / name).read_text(encoding="utf-8")


def _zone(name: object) -> ZoneInfo | None:
    """The zone to show times in; None for UTC."""
    return ZoneInfo(name) if isinstance(name, str) and name not in ("", "UTC") else None


def _source(text: str) -> str:
    """A CSP source expression that allows exactly *text*."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render(notebook: NotebookNode, meta: Mapping[str, Any] | None = None) -> str:
    """The report of an executed notebook.

    Args:
        notebook: Its `#` heading is the title, each `##` heading a section; blocks are what its cells published. Facts
            of a `run` block called `title` and `timezone` say what the report is called and which zone times are in.
        meta: All optional: `title` (in place of the notebook's), `window`, `scope`, `generated` (one line of text
            each, shown below the title), `version`.
    """
    meta = dict.fromkeys(META) | safe_values(meta or {})
    page = read_page(notebook)
    charts = []
    for position, block in enumerate(page.blocks("chart"), 1):
        if block.get("spec") is not None:
            block["chart_id"] = f"chart-{position}"
            charts.append((f"chart-{position}", inert_json(block["spec"])))
    scripts = [bundle()] if charts else []
    scripts.append(_static("report.js"))
    css = _static("report.css")
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_source, scripts))}; style-src {_source(css)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return TEMPLATES.get_template("page.html.j2").render(
        page=page,
        meta=meta,
        title=meta.get("title") or page.facts.get("title") or page.title or "AWS audit report",
        zone=_zone(page.facts.get("timezone")),
        charts=charts,
        findings_id=page.section_of("findings"),
        coverage_id=page.section_of("coverage"),
        policy=policy,
        css=Markup(css),
        scripts=[Markup(script) for script in scripts],
    )
