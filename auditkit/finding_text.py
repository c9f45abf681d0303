"""What the rules found, in the style a command was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditkit.cases import Case
from auditkit.catalogue import Query
from auditkit.evidence import Coverage
from auditkit.formats import navigator, ocsf, sarif
from auditkit.model import Finding, Severity, Window, counted
from auditkit.output import as_csv, as_json, as_table
from auditkit.report.clean import clean
from auditkit.rules import RuleRun

_BY_SEVERITY = ("severity", "first_seen", "rule", "summary")
_BY_TIME = ("first_seen", "severity", "rule", "summary")


def in_style(
    run: RuleRun, rules: Sequence[Query], coverage: Coverage, window: Window, style: str, *, floor: Severity = "info"
) -> str:
    """Text in that *style*: `table`, `json`, `csv`, `sarif`, `ocsf`, `navigator`.

    Args:
        rules: All of the catalogue, whether or not they ran.
        floor: The mildest severity that was asked for.
    """
    suppressed = run.allowed.suppressed if run.allowed else []
    if style == "sarif":
        return as_json(sarif.log(run, rules, window, suppressed))
    if style == "ocsf":
        return as_json(ocsf.events(run, rules, suppressed))
    if style == "navigator":
        return as_json(navigator.layer(run, rules, window, suppressed, floor=floor))
    records = [finding.as_json() for finding in run.findings]
    if style == "json":
        return as_json(_everything(run, records, coverage, window))
    if style == "csv":
        return as_csv(Finding.__slots__, records)
    parts = [_told(case) for case in run.told.cases]
    if run.told.alone:
        parts += ["ALONE  what belongs to no case"] if parts else []
        parts.append(as_table(_BY_SEVERITY, [finding.as_json() for finding in run.told.alone]))
    return "\n\n".join([*parts, _counted(run, window)])


def _everything(run: RuleRun, records: list[dict[str, Any]], coverage: Coverage, window: Window) -> dict[str, Any]:
    allowed = run.allowed
    return {
        "window": window.as_json(),
        "findings": records,
        "cases": [case.as_json() for case in run.told.cases],
        "suppressed": [one.as_json() for one in allowed.suppressed] if allowed else [],
        "allowlist": [notice.as_json() for notice in allowed.notices] if allowed else [],
        "rules": {"ran": run.ran, "skipped": run.skipped, "failed": run.failed},
        "coverage": coverage.as_json(),
    }


def _told(case: Case) -> str:
    """A case with its timeline."""
    steps = [finding.as_json() for finding in case.findings]
    return f"{case.severity.upper()}  {clean(case.title)}\n\n{as_table(_BY_TIME, steps)}"


def _counted(run: RuleRun, window: Window) -> str:
    told = f" ({counted(len(run.told.cases), 'case')}, {len(run.told.alone):,} alone)" if run.told.cases else ""
    suppressed = f", {len(run.allowed.suppressed):,} suppressed by the allowlist" if run.allowed else ""
    found = f"{counted(len(run.findings), 'finding')}{told}{suppressed}"
    return f"{found} from {counted(len(run.ran), 'rule')}; window: {window}"
