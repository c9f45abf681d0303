"""What stands around a subject: the findings that concern it, and what the network refused of its addresses, tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.addresses import address_of, is_public
from auditkit.identity.activity import Row
from auditkit.identity.subject import Subject
from auditkit.model import Ask, Finding, Window
from auditkit.network import sentence, strongest_first

# The ARN of a principal, and the name of its session; a link of several sessions names none of them.
Caller = tuple[str, str | None]
ALL = 1_000_000  # rows: what is looked through, and not what is shown


@dataclass(frozen=True, slots=True)
class Network:
    """Rejects, and the events that they belong to. Rows as the questions give them."""

    rejects: Sequence[Row]  # of network/rejects_by_interface
    links: Sequence[Mapping[str, Any]]  # of network/rejects_and_events, each with its sentence, the strongest first
    has_flows: bool  # whether there is any flow record in the window

    @property
    def reject_count(self) -> int:
        return sum(row["reject_count"] for row in self.rejects)

    def as_json(self) -> dict[str, Any]:
        return {"reject_count": self.reject_count, "links": list(self.links), "rejects": list(self.rejects)}


def network_of(
    ask: Ask,
    window: Window,
    *,
    addresses: Collection[str],
    things: Collection[str],
    callers: Collection[Caller] = (),
) -> Network:
    """What was refused to or from these, and the links between that and events.

    Args:
        addresses: Public ones; a private one is another's after a while.
        things: Ids of tasks, interfaces and instances, and whatever address was asked about.
        callers: Links are those of one of them, where any is named; among them the changes that they made.
    """
    public = {text for text in addresses if (address := address_of(text)) and is_public(address)}
    wanted = public | set(things)
    rows = ask("network/rejects_by_interface", {"limit": ALL}, window=window).table.to_pylist()
    places = ("interface_id", "instance_id", "ecs_task_id", "srcaddr", "dstaddr")
    rejects = [row for row in rows if wanted & {row[name] for name in places}]
    every = ask("network/rejects_and_events", window=window).table.to_pylist() if rows else []
    links = [row | {"sentence": sentence(row)} for row in every if _is_linked(row, wanted, callers)]
    return Network(rejects, strongest_first(links), bool(rows) or _has_flows(ask, window))


def _is_linked(row: Row, wanted: Collection[str], callers: Collection[Caller]) -> bool:
    if callers and (row["principal_arn"], row["session_name"]) not in callers:
        return False
    if row["kind"] == "change":
        return bool(callers) or not set(wanted).isdisjoint((row["interface_ids"] or "").split(", "))
    return row["shared"] in wanted


def concerning(
    findings: Iterable[Finding], subject: Subject, evidence: Collection[str], words: Collection[str]
) -> list[Finding]:
    """Of *findings* those that have an event of the subject among their evidence, or name it.

    Args:
        evidence: The event ids of the subject, of those that findings have.
        words: What a finding about flows, or about a thing, may name: addresses, tasks, interfaces, ARNs.
    """
    names, known = set(subject.names) | set(words), set(evidence)
    return [
        finding
        for finding in findings
        if known.intersection(finding.evidence)
        or finding.resource in names
        or (subject.kind == "principal" and finding.principal_arn in names)
        or (finding.principal_arn is None and names.intersection(finding.source_ips))
    ]


def _has_flows(ask: Ask, window: Window) -> bool:
    rows = ask("evidence/coverage", window=window).table.to_pylist()
    return any(row["source_table"] == "flow_records" for row in rows)
