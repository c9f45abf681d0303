"""Findings as SARIF 2.1.0: one run, a result for each finding, a notification for each rule that could not run.

A result needs a place, and a finding has no line of code. Its logical locations are the account, the principal and the
resource. Its physical location is the folder into which AWS delivers the log that proves it, relative to wherever that
log is kept: AWSLogs/111122223333/CloudTrail. It names no file: GitHub opens a new alert for a result whose path has
changed, and the same finding has its proof in other files every day. The ids of all its events are in its properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditkit import __version__
from auditkit.allowlist import Suppressed
from auditkit.catalogue import Query
from auditkit.formats.allowed import justification
from auditkit.formats.attack import technique
from auditkit.model import Finding, Severity, Window
from auditkit.report.clean import clean
from auditkit.rules import RuleRun

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Mapping[Severity, str] = {
    "critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note",
}  # fmt: skip
# How GitHub ranks a rule: above 9 critical, from 7 high, from 4 medium, above 0 low, and 0 is no security severity.
SCORES: Mapping[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}
PROPERTIES = (
    *("severity", "outcome", "principal_arn", "account_id", "resource", "first_seen", "last_seen", "event_count"),
    *("failed_count", "event_names", "source_ips", "places", "hands", "judgement", "evidence"),
)
_FOLDERS = {"cloudtrail_events": "CloudTrail", "flow_records": "vpcflowlogs"}  # as AWS calls them in a bucket
_ABOUT = (("Why", "why"), ("To do", "response"), ("Looks alike", "false_positives"), ("Blind to", "blind_spots"))
_ACCOUNT = re.compile(r"[0-9]{12}")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~]")


def log(run: RuleRun, rules: Iterable[Query], window: Window, suppressed: Sequence[Suppressed] = ()) -> dict[str, Any]:
    """The SARIF log of one run.

    Args:
        rules: What the run chose from. Those it was asked for are in the log, whether they ran or not.
        suppressed: Findings that are not in `run.findings`; their results say who answers for them.
    """
    asked = {*run.ran, *run.failed, *run.skipped}
    known = [rule for rule in rules if rule.rule in asked]
    at = {rule.rule: index for index, rule in enumerate(known)}
    reads = {rule.rule: rule.reads for rule in known}
    results = [_result(finding, at, reads, []) for finding in run.findings]
    results += [_result(allowed.finding, at, reads, [_suppression(allowed)]) for allowed in suppressed]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "auditkit", "version": __version__, "rules": [_rule(r) for r in known]}},
                "automationDetails": {"id": "auditkit/findings/"},
                "originalUriBaseIds": {"LOGS": {"description": {"text": "Where AWS delivers the logs."}}},
                "invocations": [
                    {
                        "executionSuccessful": not run.failed,
                        "toolExecutionNotifications": _notes(run.failed, at, "error"),
                        "toolConfigurationNotifications": _notes(run.skipped, at, "warning"),
                    }
                ],
                "results": results,
                "properties": {"window": window.as_json()},
            }
        ],
    }


def _rule(rule: Query) -> dict[str, Any]:
    header = rule.header
    severity: Severity = header["severity"]
    techniques = [technique(id) for id in header.get("attack") or ()]
    mapped = " · ".join(f"[{_escaped(' '.join(filter(None, (t.id, t.name))))}]({t.url})" for t in techniques)
    markdown = [f"**{name}:** {_escaped(_line(header[key]))}" for name, key in _ABOUT]
    return {
        "id": rule.rule,
        "name": rule.rule.rpartition(".")[2].title().replace("_", ""),
        "shortDescription": {"text": _text(rule.title)},
        "fullDescription": {"text": _text(_line(header["why"]))},
        "help": {
            "text": "\n\n".join(f"{name}: {_text(_line(header[key]))}" for name, key in _ABOUT),
            "markdown": "\n\n".join([*markdown, *([f"**ATT&CK:** {mapped}"] if mapped else [])]),
        },
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "tags": ["security", *_tags(header)],
            "security-severity": SCORES[severity],
            "severity": severity,
        },
    }


def _tags(header: Mapping[str, Any]) -> list[str]:
    """What a rule is mapped to, in the way that code scanning tags a CWE: `external/mitre-attack/T1098.003`."""
    mapped = {"mitre-attack": "attack", "pci-dss-4.0.1": "pci", "cis-aws-foundations": "cis"}
    return [f"external/{name}/{id}" for name, key in mapped.items() for id in header.get(key) or ()]


def _result(
    finding: Finding, at: Mapping[str, int], reads: Mapping[str, Sequence[str]], suppressions: list[dict[str, Any]]
) -> dict[str, Any]:
    record = finding.as_json()
    return {
        "ruleId": finding.rule,
        **({"ruleIndex": at[finding.rule]} if finding.rule in at else {}),
        "level": LEVELS[finding.severity],
        "message": {"text": _text(finding.summary)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": _folder(finding.account_id, reads.get(finding.rule, ()))},
                "logicalLocations": _places(finding),
            }
        ],
        # The second is the only one that GitHub compares. It is no hash of a line, but it tells findings apart as well.
        "partialFingerprints": {"findingId/v1": finding.id, "primaryLocationLineHash": finding.id},
        "occurrenceCount": max(1, finding.event_count),
        "suppressions": suppressions,
        "properties": {name: record[name] for name in PROPERTIES},
    }


def _folder(account: str | None, tables: Sequence[str]) -> dict[str, str]:
    """As far as it is known: whatever stands in the log for an account id is no path."""
    parts = ["AWSLogs"]
    if account and _ACCOUNT.fullmatch(account):
        parts += [account, *[folder for table, folder in _FOLDERS.items() if table in tables][:1]]
    return {"uri": "/".join(parts), "uriBaseId": "LOGS"}


def _places(finding: Finding) -> list[dict[str, str]]:
    named = {"account": finding.account_id, "principal": finding.principal_arn, "resource": finding.resource}
    return [{"fullyQualifiedName": clean(name), "kind": kind} for kind, name in named.items() if name]


def _suppression(allowed: Suppressed) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": _text(justification(allowed))}


def _notes(reasons: Mapping[str, str], at: Mapping[str, int], level: str) -> list[dict[str, Any]]:
    return [
        {
            "level": level,
            "message": {"text": _text(f"{rule} {'failed' if level == 'error' else 'did not run'}: {reason}")},
            "associatedRule": {"id": rule, **({"index": at[rule]} if rule in at else {})},
        }
        for rule, reason in reasons.items()
    ]


def _text(text: str) -> str:
    """A plain message in which a value can be neither a placeholder, `{0}`, nor a link, `[text](target)`."""
    return clean(text).replace("](", "] (").replace("{", "{{").replace("}", "}}")


def _escaped(text: str) -> str:
    """Text in Markdown that looks as written."""
    return _MARKDOWN.sub(r"\\\g<0>", clean(text)).replace("{", "{{").replace("}", "}}")


def _line(text: str) -> str:
    return " ".join(text.split())
