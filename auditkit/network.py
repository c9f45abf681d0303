"""Links of rejects and events in sentences, and the findings that such links stand beside.

A link is a row of the question `network/rejects_and_events`, as a mapping. Its values are as logged, so the text made
of them is as hostile as the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from auditkit.findings import who
from auditkit.model import Finding, counted

Link = Mapping[str, Any]

CONFIDENCE = ("low", "medium", "high")  # the weaker first
_KINDS = ("endpoint", "interface", "address", "task", "change")  # what says less first
_DOUBT = {"high": "", "medium": "probably ", "low": "perhaps "}
_CHANGED = {
    "deployment": "Deployment of {}",
    "security_group": "Change of security group {}",
    "network_acl": "Change of network ACL {}",
    "route_table": "Change of route table {}",
    "interface": "New security groups of interface {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A finding, and rejected traffic that has to do with it."""

    finding: Finding
    link: Link
    weight: int  # more is nearer: what both have in common, then the confidence of the link
    because: str  # one sentence: what both have in common
    blind_s: int  # seconds of the finding's time, and of the link's, in which flow records of its account were lost


def strongest_first(links: Iterable[Link]) -> list[Link]:
    """By confidence, then what the kind tells, then how much was rejected."""
    return sorted(
        links,
        key=lambda link: (
            -CONFIDENCE.index(link["confidence"]),
            -_KINDS.index(link["kind"]),
            -link["reject_count"],
            link["first_event"],
            str(link["shared"]),
            str(link["principal_arn"]),
        ),
    )


def sentence(link: Link) -> str:
    """What a link says, in one sentence of plain text that a manager understands.

    `Deployment of checkout by role github-terraform of account 111122223333 closed 10.30.0.20:5432: 214 rejects from
    3 tasks in 6 minutes.`
    """
    return _of_change(link) if link["kind"] == "change" else _of_trace(link)


def _of_change(link: Link) -> str:
    deed = f"{_CHANGED[link['changed']].format(link['shared'])} by {_caller(link)}"
    doubt, count = _DOUBT[link["confidence"]], counted(link["reject_count"], "reject")
    door, span = _door(link), _span(link["first_reject"], link["last_reject"])
    if link["effect"] == "closed":
        return f"{deed} {doubt}closed {door}: {count} {_from_whom(link)}{span}."
    if link["effect"] == "opened":
        let_in = counted(link["accept_count"], "flow record")
        return f"{deed} {doubt}opened {door}: {count} {_from_whom(link)} before it, {let_in} let through after it."
    if link["effect"] == "refused":
        return (
            f"After {_lower(deed)}, {count} of {door} began {_from_whom(link)}{span}; nothing was let through before."
        )
    return f"After {_lower(deed)}, {count} of {door} {_from_whom(link)} ceased; nothing was let through since."


def _of_trace(link: Link) -> str:
    count = counted(link["reject_count"], "reject")
    denied = f" ({link['denied_count']:,} denied)" if link["denied_count"] else ""
    calls, caller = f"{counted(link['event_count'], 'call')}{denied}", _caller(link)
    apart = f", {_length(link['gap_s'])} apart" if link["gap_s"] >= 60 else ""
    if link["kind"] == "address":
        where = counted(link["interface_count"], "interface")
        return f"Address {link['shared']} has {count} at {where}, and made {calls} as {caller}{apart}."
    what = f"Task {link['shared']}" if link["kind"] == "task" else f"Interface {link['interface_ids']}"
    if link["workloads"] and link["workloads"] != f"ecs task {link['shared']}":
        what += f" of {link['workloads']}"
    if link["kind"] == "endpoint":
        return (
            f"{what} has {count}; {_DOUBT[link['confidence']]}from its address {link['shared']}, through a VPC "
            f"endpoint, came {calls} of {caller}{apart}."
        )
    if link["kind"] == "task" and link["session_name"] == link["shared"]:
        return f"{what} has {count}, and made {calls} as {caller}{apart}."
    return f"{what} has {count}; {caller} named it in {calls} ({link['event_names']}){apart}."


def _caller(link: Link) -> str:
    """The principal, and of a person the session, which is how the company knows them."""
    session = link["session_name"] or ""
    return f"{session} ({who(link['principal_arn'])})" if "@" in session else who(link["principal_arn"])


def _door(link: Link) -> str:
    """The one place that was asked, or how many."""
    servers, ports = (str(link[name] or "").split(", ") for name in ("dstaddrs", "dstports"))
    if len(servers) == len(ports) == 1:
        address = f"[{servers[0]}]" if ":" in servers[0] else servers[0]
        return f"{address}:{ports[0]}"
    return f"{_some(servers, 'host')} and {_some(ports, 'port')}"


def _some(values: Sequence[str], noun: str) -> str:
    """The lists of a link end after ten."""
    more = " or more" if len(values) == 10 else ""
    return f"{noun} {values[0]}" if len(values) == 1 else f"{len(values)}{more} {noun}s"


def _from_whom(link: Link) -> str:
    if link["task_count"]:
        return f"from {counted(link['task_count'], 'task')}"
    clients = str(link["srcaddrs"] or "").split(", ")
    return (
        f"from {clients[0]}"
        if len(clients) == 1 and clients[0]
        else f"at {counted(link['interface_count'], 'interface')}"
    )


def _span(start: datetime, end: datetime) -> str:
    return f" in {_length(max(1, round((end - start).total_seconds())))}"


def _length(seconds: float) -> str:
    """`40 seconds`, `6 minutes`, `3 hours`, `2 days`, rounded."""
    for unit_s, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * unit_s or (seconds >= unit_s and noun == "minute"):
            return counted(round(seconds / unit_s), noun)
    return counted(round(seconds), "second")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def rejects_beside(
    findings: Sequence[Finding], links: Sequence[Link], *, blind: Sequence[Mapping[str, Any]] = ()
) -> list[Beside]:
    """The links that have to do with each finding: its proof, its resource, its address or its principal.

    Args:
        findings: What the rules found; of one account and window with the links.
        links: Rows of `network/rejects_and_events`.
        blind: Rows of `evidence/blind_intervals`: what is not known of rejects then is told as `blind_s`.
    Returns: One value per finding and link, the nearest first, at equal nearness in the order of the findings.
    """
    by_event, by_shared, by_principal = (_by(links, name) for name in ("event_id", "shared", "principal_arn"))
    found: list[Beside] = []
    for finding in findings:
        near: dict[int, tuple[int, str]] = {}
        for key in (finding.principal_arn,) if finding.principal_arn else ():
            for at in by_principal[key]:
                if links[at]["account_id"] == finding.account_id and links[at]["kind"] != "change":
                    near[at] = (
                        1,
                        f"The rejects are of the {links[at]['kind']} {links[at]['shared']} of the same principal.",
                    )
        for address in finding.source_ips:
            for at in by_shared[address]:
                near[at] = (2, f"The finding and the rejects are of the same address {address}.")
        for at in by_shared[(finding.resource or "").rsplit("/", 1)[-1]] if finding.resource else ():
            near[at] = (3, f"The finding is about {links[at]['shared']}, and so are the rejects.")
        for event_id in finding.evidence:
            for at in by_event[event_id]:
                near[at] = (4, f"Event {event_id} proves the finding and the link.")
        found += (_beside(finding, links[at], *why, blind) for at, why in near.items())
    return sorted(found, key=lambda one: -one.weight)


def _by(links: Sequence[Link], name: str) -> defaultdict[str, list[int]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, link in enumerate(links):
        if link[name] is not None:
            places[link[name]].append(at)
    return places


def _beside(finding: Finding, link: Link, common: int, because: str, blind: Sequence[Mapping[str, Any]]) -> Beside:
    start = min(finding.first_seen, _utc(link["first_reject"]))
    end = max(finding.last_seen, _utc(link["last_reject"]))
    lost = [
        (max(start, _utc(row["start_time"])), min(end, _utc(row["end_time"])))
        for row in blind
        if row["account_id"] in (None, link["account_id"])
    ]
    return Beside(
        finding=finding,
        link=link,
        weight=common * len(CONFIDENCE) + CONFIDENCE.index(link["confidence"]),
        because=because,
        blind_s=round(_covered(lost).total_seconds()),
    )


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of *spans* lasts; one that ends before it starts is none."""
    total, until = timedelta(), datetime.min.replace(tzinfo=UTC)
    for start, end in sorted(spans):
        start = max(start, until)
        if end > start:
            total, until = total + (end - start), end
    return total


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
