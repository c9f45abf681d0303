"""What a notebook cell publishes: typed JSON blocks, never markup made from data.

Every function returns a Block. As the last expression of a cell (or through `display`) it becomes one output with

- `application/vnd.auditkit.block.v1+json`, which the report is made from,
- a small escaped table, or a Vega-Lite chart, for JupyterLab,
- plain text.

All values pass `redact.mask` and `clean` here, before anything is stored in the notebook.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from auditkit.errors import ParameterError, ReportError
from auditkit.model import SEVERITIES, Finding, Severity
from auditkit.report.block import MIME, Block
from auditkit.report.cells import cell, grid, safe, safe_values
from auditkit.report.clean import clean_values
from auditkit.report.completeness import coverage, provenance
from auditkit.report.steps import checklist, step

if TYPE_CHECKING:
    import altair as alt

ROW_LIMIT = 500
EVIDENCE_ROWS = 3_000  # over all findings of one block: about 2 MB of page

Level = Literal["info", "warning"]


def verdict(sentence: str, detail: str = "", severity: Severity | None = None) -> Block:
    """The answer in one sentence, shown on top of the report; *severity* None says that nothing stands out."""
    data = {"sentence": safe(sentence), "detail": safe(detail), "severity": _severity(severity)}
    return Block("verdict", data, data["sentence"] or "")


def kpis(items: Iterable[tuple[str, Any, str]]) -> Block:
    """A row of numbers: (label, value, what it counts). Integers get thousands separators."""
    data = [{"label": safe(name), "value": cell(value), "about": safe(about)} for name, value, about in items]
    return Block("kpis", {"items": data}, " · ".join(f"{item['label']} {item['value']}" for item in data))


def note(text: str, level: Level = "info") -> Block:
    """One paragraph of plain text. `warning` stands out."""
    return Block("note", {"text": safe(text), "level": level}, safe(text))


def table(
    frame: pd.DataFrame,
    *,
    title: str,
    about: str = "",
    sql: str | None = None,
    total: int | None = None,
    labels: Mapping[str, str] | None = None,
    limit: int = ROW_LIMIT,
    empty: str = "No rows.",
) -> Block:
    """*frame* as a sortable, searchable table; its index is not shown.

    Args:
        frame: Cells are text, numbers, booleans, times (UTC; without a zone they are taken as UTC) or lists of those.
            Columns called `severity` and `outcome` are shown as badges.
        about: A sentence below the title.
        sql: Shown folded below the rows.
        total: How many rows there are altogether, when *frame* is only the first of them.
        labels: Column name to heading; other names are put into words (`source_ip` becomes `Source IP`).
        limit: At most so many rows are shown; "N of M rows" says so.
        empty: What to say when there are none: what was searched, and where.
    """
    data = {
        "title": safe(title),
        "about": safe(about),
        "sql": safe(sql) if sql else None,
        "total": max(total or 0, len(frame)),
        "empty": safe(empty),
        **grid(frame.head(limit), labels),
    }
    return Block("table", data, f"{data['title']}: {data['total']} rows")


def chart(
    chart: alt.TopLevelMixin,
    *,
    title: str,
    about: str = "",
    data: pd.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    sql: str | None = None,
    limit: int = ROW_LIMIT,
    empty: str = "",
) -> Block:
    """An Altair chart with its numbers as a folded table.

    Args:
        about: What the chart shows, in one sentence; it is also the text for who cannot see the chart. The chart's own
            description when left out.
        data: The rows behind the chart. When it has none, *empty* (or *about*) is shown in place of the chart.
        limit: At most so many rows are shown in the folded table.
    Raises: ReportError, when the chart would load something (a URL, an image, a link).
    """
    spec = safe_values(chart.to_dict())
    _refuse_loading(spec)
    about = safe(about) or str(spec.get("description", ""))
    spec["description"] = about or safe(title)
    is_empty = data is not None and data.empty
    shown: dict[str, Any] = {
        "title": safe(title),
        "about": about,
        "spec": None if is_empty else spec,
        "empty": safe(empty) or about or "There is nothing to draw.",
        "table": None,
    }
    if data is not None and not is_empty:
        rows = {"title": safe(title), "total": len(data), "sql": safe(sql) if sql else None}
        shown["table"] = rows | grid(data.head(limit), labels)
    return Block("chart", shown, f"{shown['title']}: {about}", None if is_empty else spec)


def findings(
    findings: Sequence[Finding],
    *,
    evidence: pd.DataFrame | None = None,
    limit: int = 25,
    new: Collection[str] | None = None,
    empty: str = "No rule fired.",
    labels: Mapping[str, str] | None = None,
) -> Block:
    """Findings as cards, in the order given, each with what proves it.

    Args:
        evidence: One row per event, found by its column `event_id`; the other columns are shown in their order, those
            without a value are left out. A finding whose evidence is not in it shows the bare ids.
        limit: Rows of evidence per finding; fewer when there are very many findings. The total is always named.
        new: Ids of the findings that the previous run did not have; None when there was none to compare with.
        empty: What to say when there are none: what was searched, and where.
    """
    share = max(3, min(limit, EVIDENCE_ROWS // max(1, len(findings))))
    by_id = _rows_by_id(evidence)
    cards = []
    for finding in findings:
        record = {key: safe_values(value) for key, value in finding.as_json().items() if key != "evidence"}
        record["new"] = finding.id in new if new is not None else None
        record["evidence"] = _evidence(finding, evidence, by_id, share, labels)
        cards.append(record)
    counts = {severity: sum(1 for finding in findings if finding.severity == severity) for severity in SEVERITIES}
    worded = ", ".join(f"{count} {severity}" for severity, count in reversed(counts.items()) if count)
    data = {"findings": cards, "counts": counts, "empty": safe(empty)}
    return Block("findings", data, f"{len(findings)} findings: {worded}" if findings else safe(empty))


def setting(*, title: str = "", timezone: str = "UTC") -> Block:
    """What the report is called, and the zone its times are shown in (`Asia/Tokyo`); charts stay in UTC.

    Raises: ParameterError, for a zone that the time zone database does not have.
    """
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterError(f"{timezone!r} is not a time zone. Use a name such as UTC or Asia/Tokyo.") from None
    return run({"title": title, "timezone": timezone})


def run(facts: Mapping[str, Any]) -> Block:
    """Facts for whoever started the notebook (`RunRecord.facts`); the report does not show them."""
    return Block("run", {"facts": safe_values(facts)}, f"facts for the runner: {', '.join(map(str, facts))}")


def _severity(severity: str | None) -> str | None:
    if severity is not None and severity not in SEVERITIES:
        raise ReportError(f"{severity!r} is not a severity. Use one of {', '.join(SEVERITIES)}, or None.")
    return severity


def _rows_by_id(evidence: pd.DataFrame | None) -> dict[str, int]:
    """Event id to the position of its first row."""
    if evidence is None or evidence.empty:
        return {}
    if "event_id" not in evidence.columns:
        raise ReportError(f"Evidence needs the column event_id; it has {', '.join(map(str, evidence.columns))}.")
    return {str(event): row for row, event in reversed(list(enumerate(evidence["event_id"])))}


def _evidence(
    finding: Finding,
    evidence: pd.DataFrame | None,
    by_id: Mapping[str, int],
    limit: int,
    labels: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The first *limit* rows that prove a finding, or the ids alone where the rows are not at hand."""
    ids = finding.evidence
    found = [by_id[event] for event in ids if event in by_id][:limit]
    if evidence is None or not found:
        frame = pd.DataFrame({"evidence": clean_values(ids[:limit])})
    else:
        frame = evidence.iloc[found].dropna(axis="columns", how="all")
        if "principal_arn" in frame and (frame["principal_arn"] == finding.principal_arn).all():
            frame = frame.drop(columns="principal_arn")  # the card says it already, and the rows stay readable
        frame = frame[[name for name in frame.columns if name != "event_id"] + ["event_id"]]
    return {"total": len(ids), **grid(frame, labels)}


def _refuse_loading(spec: Any) -> None:
    """Charts draw what they carry. A URL or an image chosen by a log value would be fetched."""
    if isinstance(spec, list):
        for item in spec:
            _refuse_loading(item)
    if not isinstance(spec, dict):
        return
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark
    for name in ("url", "href"):
        if name in spec:
            raise ReportError(f"A chart of a report may not have {name!r}: the report loads nothing from outside.")
    if kind == "image":
        raise ReportError("A chart of a report may not draw images: the report loads nothing from outside.")
    for key, item in spec.items():
        if key != "datasets":  # rows are data: a field may well be called url
            _refuse_loading(item)


__all__ = [
    "MIME",
    "Block",
    "chart",
    "checklist",
    "coverage",
    "findings",
    "kpis",
    "note",
    "provenance",
    "run",
    "setting",
    "step",
    "table",
    "verdict",
]
