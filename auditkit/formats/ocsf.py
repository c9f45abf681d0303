"""Findings as OCSF 1.6 Detection Findings (class 2004), the version that AWS Security Hub speaks; profile cloud.

A JSON array, one event a finding. What OCSF has no word for is under `unmapped`. `time` is that of the last event that
proves the finding, so that the same logs give the same text. No confidence is claimed: none is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import product
from typing import Any

from auditkit import __version__
from auditkit.allowlist import Suppressed
from auditkit.catalogue import Query
from auditkit.formats.allowed import justification
from auditkit.formats.attack import Technique, technique, version
from auditkit.model import Finding, Severity
from auditkit.places import Places
from auditkit.report.clean import clean
from auditkit.rules import RuleRun

VERSION = "1.6.0"
SEVERITIES: Mapping[Severity, tuple[int, str]] = {
    "info": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_LOGS = {"cloudtrail_events": "CloudTrail", "flow_records": "VPC Flow Logs"}
# What a principal is, by the word in its ARN: type_id and type of a user, and the type of the resource it is.
_KINDS = {
    "user": (1, "User", "AWS::IAM::User"),
    "root": (2, "Admin", "AWS::IAM::Root"),
    "role": (99, "Role", "AWS::IAM::Role"),
    "federated-user": (99, "Federated user", "AWS::STS::FederatedUser"),
}
_UNMAPPED = ("outcome", "failed_count", "hands", "judgement", "false_positives", "blind_spots")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def events(run: RuleRun, rules: Iterable[Query], suppressed: Sequence[Suppressed] = ()) -> list[dict[str, Any]]:
    """One Detection Finding a finding, in their order, and one for each that is suppressed.

    Args:
        rules: What the run chose from; they say which logs prove a finding.
    """
    logs = {rule.rule: [log for table, log in _LOGS.items() if table in rule.reads] for rule in rules}
    found = [_event(finding, logs.get(finding.rule, []), run.places) for finding in run.findings]
    for allowed in suppressed:
        status_id, status = _SUPPRESSED
        event = _event(allowed.finding, logs.get(allowed.finding.rule, []), run.places)
        found.append(event | {"status_id": status_id, "status": status, "comment": justification(allowed)})
    return found


def _event(finding: Finding, logs: list[str], places: Places) -> dict[str, Any]:
    severity_id, severity = SEVERITIES[finding.severity]
    status_id, status = _NEW
    record = finding.as_json()
    return {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": _ms(finding.last_seen),
        "start_time": _ms(finding.first_seen),
        "end_time": _ms(finding.last_seen),
        "count": finding.event_count,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": clean(finding.summary),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "auditkit", "vendor_name": "auditkit", "version": __version__},
            "event_code": finding.rule,
        },
        "finding_info": _info(finding, logs),
        "remediation": {"desc": finding.response},
        "cloud": {"provider": "AWS", **_account(finding.account_id)},
        **_unless_empty(resources=_resources(finding), evidences=_evidences(finding, places)),
        "unmapped": {name: record[name] for name in _UNMAPPED},
    }


def _info(finding: Finding, logs: list[str]) -> dict[str, Any]:
    techniques = [technique(id) for id in finding.attack]
    tactics = sorted({tactic.name for one in techniques for tactic in one.tactics})
    tags = {"pci_dss_4.0.1": finding.pci, "cis_aws_foundations": finding.cis}
    return {
        "uid": finding.id,
        "title": finding.title,
        "desc": finding.why,
        "first_seen_time": _ms(finding.first_seen),
        "last_seen_time": _ms(finding.last_seen),
        "analytic": {"uid": finding.rule, "name": finding.title, "type_id": 1, "type": "Rule"},
        "related_events": [
            {"uid": event, **({"type": logs[0]} if len(logs) == 1 else {})} for event in finding.evidence
        ],
        "related_events_count": len(finding.evidence),
        **_unless_empty(
            types=[f"TTPs/{name}" for name in tactics],
            attacks=[attack for one in techniques for attack in _attacks(one)],
            data_sources=logs,
            tags=[{"name": name, "values": list(values)} for name, values in tags.items() if values],
        ),
    }


def _attacks(one: Technique) -> list[dict[str, Any]]:
    """A technique under each of its tactics: an attack of OCSF has one."""
    parent = one.parent
    named = {"technique": _named(parent or one), **({"sub_technique": _named(one)} if parent else {})}
    tactics = [{"tactic": {"uid": tactic.id, "name": tactic.name}} for tactic in one.tactics]
    return [{"version": version(), **tactic, **named} for tactic in tactics or [{}]]


def _named(one: Technique) -> dict[str, str]:
    return {"uid": one.id, "src_url": one.url, **({"name": one.name} if one.name else {})}


def _resources(finding: Finding) -> list[dict[str, Any]]:
    """Who did it, and what it was done to."""
    found = []
    if finding.principal_arn:
        _, _, kind = _kind(finding.principal_arn)
        found.append(_resource(finding.principal_arn, 2, "Actor") | ({"type": kind} if kind else {}))
    if finding.resource:
        found.append(_resource(finding.resource, 1, "Target"))
    return found


def _resource(uid: str, role_id: int, role: str) -> dict[str, Any]:
    arn = uid.split(":", 5)
    is_arn = len(arn) == 6 and arn[0] == "arn"
    where = {"cloud_partition": arn[1], "region": arn[3]} if is_arn else {}
    return {"uid": uid, "role_id": role_id, "role": role, **{name: text for name, text in where.items() if text}}


def _evidences(finding: Finding, at: Places) -> list[dict[str, Any]]:
    """Who, from where, with which call. Which of several addresses made which of several calls is not known."""
    actor = {"actor": {"user": _user(finding.principal_arn)}} if finding.principal_arn else {}
    places: list[dict[str, Any]] = [
        {"src_endpoint": _endpoint(address) | _place(address, at)} for address in finding.source_ips
    ]
    calls: list[dict[str, Any]] = [{"api": {"operation": name}} for name in finding.event_names]
    if len(places) > 1 and len(calls) > 1:
        return [actor | fact for fact in (*places, *calls)]
    found = [actor | place | call for place, call in product(places or [{}], calls or [{}])]
    return [evidence for evidence in found if evidence]


def _endpoint(address: str) -> dict[str, str]:
    """CloudTrail writes the name of a service, or "AWS Internal", where a call came from inside AWS."""
    try:
        ip_address(address.replace("%", " "))  # a zone may hold any text
    except ValueError:
        return {"svc_name": address}
    return {"ip": address}


def _place(address: str, at: Places) -> dict[str, Any]:
    """What files say of an address: the name of its network as its zone, its country, its autonomous system."""
    place = at.of(address)
    country = {"country": place.country, "desc": place.country_name}
    system = {"number": place.asn, "name": place.owner}
    found = {
        "zone": place.label if place.kind == "named" else None,
        "location": {key: value for key, value in country.items() if value and place.country},
        "autonomous_system": {key: value for key, value in system.items() if value is not None},
    }
    return {key: value for key, value in found.items() if value}


def _user(arn: str) -> dict[str, Any]:
    type_id, kind, _ = _kind(arn)
    parts = arn.split(":", 5)
    account = _account(parts[4]) if len(parts) == 6 else {}
    return {"uid": arn, "name": parts[-1].rpartition("/")[2] or arn, "type_id": type_id, "type": kind, **account}


def _kind(arn: str) -> tuple[int, str, str | None]:
    if arn.endswith(".amazonaws.com"):
        return 4, "Service", None
    return _KINDS.get(arn.rpartition(":")[2].partition("/")[0], (0, "Unknown", None))


def _account(account: str | None) -> dict[str, Any]:
    return {"account": {"uid": account, "type_id": 10, "type": "AWS Account"}} if account else {}


def _unless_empty(**lists: list[Any]) -> dict[str, list[Any]]:
    return {name: values for name, values in lists.items() if values}


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
