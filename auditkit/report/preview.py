"""A small escaped table of a block, for JupyterLab; the report does not use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditkit.report.markup import TEMPLATES

ROWS = 10


def preview(kind: str, data: Mapping[str, Any]) -> str:
    """HTML of at most ten rows, every value escaped by the template."""
    heading, columns, rows, total = "", ["", ""], [], None
    if kind == "verdict":
        heading, rows = data["sentence"], [[data["severity"] or "", data["detail"]]]
    elif kind == "kpis":
        rows = [[item["label"], item["value"]] for item in data["items"]]
    elif kind == "note":
        heading = data["text"]
    elif kind == "table":
        heading, total = data["title"], data["total"]
        columns, rows = [column["label"] for column in data["columns"]], data["rows"]
    elif kind == "chart":
        heading = data["empty"]
    elif kind == "findings":
        total = len(data["findings"])
        heading = data["empty"] if not total else ""
        columns = ["Severity", "Finding", "Principal", "Events", "Last seen (UTC)"]
        rows = [
            [card["severity"], card["title"], card["principal_arn"], card["event_count"], card["last_seen"]]
            for card in data["findings"]
        ]
    elif kind == "checklist":
        columns = ["Verdict", "Step", ""]
        rows = [[item["word"], f"{item['number']} {item['title']}", item["sentence"]] for item in data["items"]]
    elif kind == "step":
        heading = f"{data['number']} {data['title']}: {data['word']}"
        rows = [[check["word"], check["sentence"]] for check in data["checks"]]
    elif kind == "coverage":
        rows = [["!", text] for text in data["problems"]] or [["", "No gaps known."]]
    elif kind == "provenance":
        rows = data["facts"]
    return TEMPLATES.get_template("preview.html.j2").render(
        heading=heading, columns=columns, rows=rows[:ROWS], total=total if total is not None else len(rows)
    )
