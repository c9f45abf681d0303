"""A layer for the ATT&CK Navigator (format 4.5): what was found, technique by technique, and what was looked for.

The score of a technique is its worst finding, 1 (info) to 5 (critical). 0 says that rules looked for it and found
nothing. A technique none of whose rules could run has no score, and no colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from auditkit import __version__
from auditkit.allowlist import Suppressed
from auditkit.catalogue import Query
from auditkit.formats.attack import version
from auditkit.model import SEVERITIES, Finding, Severity, Window, counted, worst_first
from auditkit.report.clean import clean
from auditkit.rules import RuleRun

COVERED = "#d7eadf"
COLOURS = ("#a9b4bf", "#3f8fd0", "#f0902a", "#d6342c", "#67001f")  # of the severities, as in the charts of a report


def layer(
    run: RuleRun,
    rules: Iterable[Query],
    window: Window,
    suppressed: Sequence[Suppressed] = (),
    *,
    floor: Severity = "info",
) -> dict[str, Any]:
    """The layer of one run.

    Args:
        floor: The mildest severity that `run.findings` holds; what is milder may have been found as well.
        rules: What the run chose from. Techniques of rules that it was not asked for are not in the layer.
        suppressed: Findings that are not in `run.findings`. They are counted in the comments and give no score.
    """
    asked = {*run.ran, *run.failed, *run.skipped}
    mapped: dict[str, list[str]] = {}
    for rule in rules:
        if rule.rule in asked:
            for id in rule.header.get("attack") or ():
                mapped.setdefault(id, []).append(rule.rule)
    quiet = [allowed.finding for allowed in suppressed]
    nothing = "nothing found" if floor == "info" else f"nothing found of severity {floor} or worse"
    facts = f"{counted(len(run.findings), 'finding')} from {counted(len(run.ran), 'rule')}"
    return {
        "name": "auditkit findings",
        "versions": {"attack": version().partition(".")[0], "navigator": "5.2.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": f"{facts}; window: {window}",
        "sorting": 3,  # the highest score on top
        "layout": {
            "layout": "side",
            "showID": True,
            "showName": True,
            "showAggregateScores": True,
            "aggregateFunction": "max",
            "expandedSubtechniques": "annotated",
        },
        "techniques": [_technique(id, names, run, quiet, nothing) for id, names in sorted(mapped.items())],
        "gradient": {"colors": [COVERED, *COLOURS], "minValue": 0, "maxValue": len(COLOURS)},
        "legendItems": [
            {"label": f"looked for, {nothing}", "color": COVERED},
            *({"label": f"worst finding: {name}", "color": c} for name, c in zip(SEVERITIES, COLOURS, strict=True)),
        ],
        "metadata": [{"name": "auditkit", "value": __version__}, {"name": "window", "value": str(window)}],
    }


def _technique(id: str, names: Sequence[str], run: RuleRun, quiet: Sequence[Finding], nothing: str) -> dict[str, Any]:
    found = worst_first(finding for finding in run.findings if finding.rule in names)
    record: dict[str, Any] = {"techniqueID": id}
    if found:
        record["score"] = SEVERITIES.index(found[0].severity) + 1
    elif any(name in run.ran for name in names):
        record["score"] = 0
    return record | {"comment": clean(_comment(names, run, found, quiet, nothing))}


def _comment(
    names: Sequence[str], run: RuleRun, found: Sequence[Finding], quiet: Sequence[Finding], nothing: str
) -> str:
    """`3 findings, the worst high: iam.user_created 2, iam.login_profile 1. Nothing found: iam.quiet.`"""
    firings = Counter(finding.rule for finding in found)
    silent = [name for name in names if name in run.ran and not firings[name]]
    not_run = [name for name in names if name not in run.ran]
    allowed = sum(finding.rule in names for finding in quiet)
    sentences = []
    if found:
        each = ", ".join(f"{name} {count:,}" for name, count in firings.most_common())
        sentences.append(f"{counted(len(found), 'finding')}, the worst {found[0].severity}: {each}.")
    if silent:
        sentences.append(f"{nothing.capitalize()}: {', '.join(silent)}.")
    if not_run:
        sentences.append(f"Did not run: {', '.join(not_run)}.")
    if allowed:
        sentences.append(f"{counted(allowed, 'finding')} suppressed by the allowlist.")
    return " ".join(sentences)
