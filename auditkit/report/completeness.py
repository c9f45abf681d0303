"""The blocks that say how far a report can be trusted: what was read, what is missing, how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from auditkit.model import counted
from auditkit.report.block import Block
from auditkit.report.cells import cell, grid, label, safe, safe_values
from auditkit.report.clean import clean_values

LISTED = 100  # of gaps, quarantined files and the like
_QUERY = ("name", "sql", "rows", "duration_s", "bytes_scanned", "cost_usd", "engine", "query_id")
_COVERAGE = {
    "files", "quarantined", "records", "tables", "accounts", "regions", "first", "last", "blind_s", "blind", "gaps",
    "cannot_see", "unchecked", "problems", "other",
}  # fmt: skip


def coverage(facts: Mapping[str, Any]) -> Block:
    """What was read and what was not. All keys are optional; unknown ones are listed as they are.

    - `files`: state to number (`{"read": 12, "quarantined": 1}`)
    - `quarantined`: files that could not be read, mappings with `file`, `reason`, …
    - `records`: `seen`, and the ways they went (`stored`, `duplicates`, …); the report says whether the books balance
    - `tables`: table name to mapping of `rows`, `first`, `last`, `accounts`, `regions`, …
    - `accounts`, `regions`, `first`, `last`: of everything read
    - `blind_s`: seconds of SKIPDATA, in which flow records were lost; `blind`: where, a list of mappings
    - `gaps`: stretches of which logs are known to be missing, a list of mappings
    - `cannot_see`: sentences, what this report cannot tell
    - `unchecked`: rule or check to the reason why it did not run
    - `problems`: further sentences that belong to the top of the report
    """
    known = dict.fromkeys(_COVERAGE) | safe_values(facts)
    for name in ("quarantined", "blind", "gaps"):
        rows = [dict(row) if isinstance(row, Mapping) else {"name": str(row)} for row in facts.get(name) or ()]
        frame = pd.DataFrame(clean_values(rows))  # a file name may hold bytes that pandas cannot
        known[name] = {"total": len(rows), **grid(frame.head(LISTED))} if rows else None
    tables = [{"table": name, **clean_values(dict(row))} for name, row in (facts.get("tables") or {}).items()]
    known["tables"] = {"total": len(tables), **grid(pd.DataFrame(tables))} if tables else None
    known["problems"] = _problems(facts) + [safe(str(text)) for text in facts.get("problems") or ()]
    known["other"] = [[label(name), value] for name, value in known.items() if name not in _COVERAGE]
    return Block("coverage", known, "; ".join(known["problems"]) or "No gaps known.")


def provenance(facts: Mapping[str, Any]) -> Block:
    """How the report came to be.

    `parameters` is a mapping and `queries` a list of mappings with `name`, `sql`, `rows`, `duration_s`,
    `bytes_scanned`, `cost_usd` (all optional); every other key is one line: `version`, `engine`, `window`, ….
    """
    lines = [[*_measured(key, cell(value))] for key, value in facts.items() if key not in {"parameters", "queries"}]
    data: dict[str, Any] = {
        "facts": [line for line in lines if line[1] is not None],
        "parameters": [[safe(str(k)), cell(v)] for k, v in (facts.get("parameters") or {}).items()],
        "queries": [_query(query) for query in facts.get("queries") or ()],
    }
    return Block("provenance", data, "; ".join(f"{name}: {value}" for name, value in data["facts"]))


def _measured(key: str, value: Any) -> tuple[str, Any]:
    """A fact in words; seconds, as the names of our own fields end, with their unit."""
    if key.endswith("_s") and isinstance(value, int | float):
        return label(key.removesuffix("_s")), f"{value:,.2f} s"
    return label(key), value


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(_QUERY) | {str(key): cell(value) for key, value in query.items()}


def _problems(facts: Mapping[str, Any]) -> list[str]:
    """What a reader has to know before believing the rest, one sentence each."""
    problems = []
    files = facts.get("files") or {}
    bad = int(files.get("quarantined", len(facts.get("quarantined") or ())))  # the list also names files read in part
    if bad == 1:
        problems.append("1 file could not be read; what it holds is not in this report.")
    elif bad:
        problems.append(f"{bad:,} files could not be read; what they hold is not in this report.")
    records = facts.get("records") or {}
    if "seen" in records:
        parts = sum(int(count or 0) for name, count in records.items() if name != "seen")
        if parts != records["seen"]:
            seen = f"{records['seen']:,} records were seen"
            problems.append(f"The books do not balance: {seen}, {parts:,} are accounted for.")
    if lost := int(records.get("quarantined") or 0):
        problems.append(f"{counted(lost, 'record')} could not be read.")
    if blind := float(facts.get("blind_s") or 0):
        lost_for = f"Flow records were lost for {_span(blind)} in all (SKIPDATA)"
        problems.append(f"{lost_for}; rejects in that time are unknown.")
    if gaps := len(facts.get("gaps") or ()):
        problems.append(f"{counted(gaps, 'gap')} in the logs: hours whose files are gone, or in which logging was off.")
    for reason, count in Counter((facts.get("unchecked") or {}).values()).items():
        problems.append(safe(f"{counted(count, 'rule')} did not run: {reason}."))
    return problems


def _span(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:,.1f} h"
