"""Findings, evidence and hostile strings that the tests of the report share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import nbformat
import pandas as pd
from nbformat import NotebookNode

from auditkit.model import Finding
from auditkit.report.block import Block

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/deploy"

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "</script><script>window.pwned=1</script>",
    "</style><svg onload=window.pwned=1>",
    "'onmouseover='window.pwned=1",
    "javascript:window.pwned=1",
    "[click](javascript:window.pwned=1) ![x](http://203.0.113.9/x.png)",
    "//203.0.113.9/beacon",
    "{{7*7}}{% raw %}${7*7}",
    "<!--<script>",
    "&lt;b&gt;&amp;",
    "txt\u202eexe.png",
    "a\u200bb\ufeff",
    "bell\x07 nul\x00 esc\x1b[31m",
    "\u2028line\u2029",
    "=HYPERLINK(0)",
    "datum['x']",
    "\ud800",
)


def finding(number: int = 1, **changed: Any) -> Finding:
    values: dict[str, Any] = {
        "id": f"{number:016x}",
        "rule": "iam.admin_policy_attached",
        "title": f"Administrator access was attached ({number})",
        "severity": "high",
        "outcome": "ok",
        "principal_arn": ROLE,
        "account_id": "111122223333",
        "resource": None,
        "first_seen": START,
        "last_seen": START + timedelta(minutes=number),
        "event_count": 2,
        "failed_count": 0,
        "source_ips": ("198.51.100.7",),
        "evidence": (f"e{number}-1", f"e{number}-2"),
        "summary": "The role deploy gave itself administrator rights.",
        "why": "It can do everything now.",
        "response": "Detach the policy.",
        "false_positives": "A first roll-out.",
        "blind_spots": "Inline policies.",
        "attack": ("T1098.003",),
        "pci": ("7.2.1",),
        "cis": ("3.0/1.16",),
        "sql": "SELECT *\nFROM cloudtrail_events\nWHERE event_name = 'AttachRolePolicy'",
    }
    return Finding(**(values | changed))


def evidence(findings: Sequence[Finding]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "event_id": event,
                "event_time": START + timedelta(minutes=position),
                "event_name": "AttachRolePolicy",
                "principal_arn": item.principal_arn,
                "source_ip": "198.51.100.7",
                "outcome": "ok",
                "error_message": None,
                "user_agent": f"aws-cli/2.31 {position}",
            }
            for item in findings
            for position, event in enumerate(item.evidence)
        ]
    )


def notebook(*cells: str | Block | dict[str, Any]) -> NotebookNode:
    """An executed notebook: text is a markdown cell, a block or a bundle of MIME types is what a code cell showed."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
            continue
        bundle = cell._repr_mimebundle_() if isinstance(cell, Block) else cell
        output = nbformat.v4.new_output("display_data", data=bundle)
        made.append(nbformat.v4.new_code_cell("", outputs=[output]))
    return nbformat.v4.new_notebook(cells=made)
