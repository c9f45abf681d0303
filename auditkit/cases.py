"""Findings as cases: what a principal did in one span of time and what it led to, told with a timeline."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from auditkit.findings import who
from auditkit.joining import joined
from auditkit.model import SEVERITIES, Finding, Severity, at_least, counted, iso, worst_first

GAP = timedelta(hours=12)  # a night between two days of work
FEW = 5  # principals behind one address that may still be one person


@dataclass(frozen=True, slots=True)
class Step:
    """One finding in the timeline of a case."""

    time: datetime
    until: datetime
    severity: Severity
    title: str
    finding_id: str
    summary: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"time": iso(self.time), "until": iso(self.until)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Two findings or more that tell one story. Times are aware UTC; names are as hostile as the log.

    `first_seen` and `last_seen` are of what principals did: a finding that names none can sum up days of scanning. Such
    findings count where there are no others.

    The id follows from the finding that the case begins with. So a case keeps its id in the next run while the story
    goes on or gets worse, and loses it when an earlier finding turns up or the beginning falls out of the window.
    Whether a case is new is better asked of its findings.
    """

    id: str
    severity: Severity  # of the worst finding
    title: str  # one sentence a manager understands
    principals: tuple[str, ...]  # ARNs, in the order in which they come up
    accounts: tuple[str, ...]  # sorted
    first_seen: datetime
    last_seen: datetime
    event_count: int  # events and flow records; an event that proves several findings counts once
    findings: tuple[Finding, ...]  # by time

    @property
    def timeline(self) -> list[Step]:
        return [Step(f.first_seen, f.last_seen, f.severity, f.title, f.id, f.summary) for f in self.findings]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; of the findings their ids, and what the timeline says of them."""
        return {
            "id": self.id,
            "severity": self.severity,
            "title": self.title,
            "principals": list(self.principals),
            "accounts": list(self.accounts),
            "first_seen": iso(self.first_seen),
            "last_seen": iso(self.last_seen),
            "event_count": self.event_count,
            "findings": [finding.id for finding in self.findings],
            "timeline": [step.as_json() for step in self.timeline],
        }


@dataclass(frozen=True, slots=True)
class Cases:
    """Every finding is in exactly one case, or alone."""

    cases: list[Case]  # worst first, then by first_seen, then by id
    alone: list[Finding]  # what belongs to no story, worst first

    def at_least(self, severity: Severity) -> Cases:
        """Those that are as bad as *severity*, or worse, each case whole."""
        return Cases(
            [case for case in self.cases if at_least(case.severity, severity)],
            [finding for finding in self.alone if at_least(finding.severity, severity)],
        )


def cases(
    findings: Iterable[Finding],
    *,
    gap: timedelta = GAP,
    few: int = FEW,
    shared_addresses: Collection[str] = (),
) -> Cases:
    """Join *findings*, whose order plays no part.

    Args:
        gap: The longest pause within a case.
        few: So many principals may share an address, or a finding without a principal may have so many addresses, for
            the address to mean anything. Only principals with findings can be counted here.
        shared_addresses: Those of which the logs know that many share them. Nothing joins through them.
    """
    groups = joined(findings, gap, few, shared_addresses)
    told = [_case(group) for group in groups if len(group) > 1]
    told.sort(key=lambda case: (-SEVERITIES.index(case.severity), case.first_seen, case.id))
    return Cases(told, worst_first(group[0] for group in groups if len(group) == 1))


def _case(group: Sequence[Finding]) -> Case:
    """*group* by time."""
    named = [finding for finding in group if finding.principal_arn]
    told = named or group
    first, last = told[0].first_seen, max(finding.last_seen for finding in told)
    principals = tuple(dict.fromkeys(finding.principal_arn for finding in named if finding.principal_arn))
    worst = worst_first(group)[0]
    events = {event for finding in group for event in finding.evidence}
    unlisted = sum(max(0, finding.event_count - len(finding.evidence)) for finding in group)  # flows have one key each
    return Case(
        id=hashlib.sha256(f"case {told[0].id}".encode()).hexdigest()[:16],
        severity=worst.severity,
        title=f"{_by_whom(group, principals)}: {counted(len(group), 'finding')} {_lasting(last - first)}, "
        f"worst {worst.severity}: {worst.title}",
        principals=principals,
        accounts=tuple(sorted({finding.account_id for finding in group if finding.account_id})),
        first_seen=first,
        last_seen=last,
        event_count=len(events) + unlisted,
        findings=tuple(group),
    )


def _by_whom(group: Sequence[Finding], principals: Sequence[str]) -> str:
    if not principals:
        addresses = set.intersection(*(set(finding.source_ips) for finding in group))
        things = {finding.resource for finding in group}
        return min(addresses, default=None) or (len(things) == 1 and things.pop()) or who(None)
    others = len(principals) - 1
    return who(principals[0]) + (f" and {counted(others, 'other')}" if others else "")


def _lasting(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "within a minute"
    if minutes < 120:
        return f"in {counted(minutes, 'minute')}"
    hours = round(minutes / 60)
    return f"in {counted(hours, 'hour')}" if hours < 48 else f"in {counted(round(hours / 24), 'day')}"
