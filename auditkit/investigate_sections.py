"""The sections of the report on one subject: who is behind it, how that is known, what it did, what is around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from auditkit.audit import Audit
from auditkit.identity.answer import Answer
from auditkit.identity.answer_text import label
from auditkit.identity.hops import Hop, Identity, Lineage
from auditkit.identity.sentence import said
from auditkit.lineage_charts import lineage_picture, subject_timeline
from auditkit.model import SEVERITIES, counted
from auditkit.report import blocks
from auditkit.report.block import Block

MOST_HOPS = 500  # of a table
_CHAIN = ["time", "event", "by", "became", "key", "source_ip", "certainty", "because", "event_id"]
_NODES = ["node", "parent", "name", "detail", "place", "certainty"]
_COUNTS = ["event_count", "denied_count", "error_count", "first_seen", "last_seen"]
_REJECTS = [
    "interface_id", "flow_direction", "srcaddr", "dstaddr", "dstport", "reject_count", "first_seen", "last_seen",
    "ecs_service_name", "ecs_task_id", "instance_id", "reject_reason", "account_id",
]  # fmt: skip


def verdict(answer: Answer) -> list[Block]:
    """Who it is in one sentence, as bad as the worst finding about it, and the numbers behind it."""
    severities = [finding.severity for finding in answer.findings]
    worst = max(severities, key=SEVERITIES.index) if severities else None
    origins = [f"{said(group.origin)}. {group.origin.because}" for group in answer.origins[:3]]
    more = len(answer.origins) - len(origins)
    detail = " ".join(origins) + (f" And {counted(more, 'more origin')}." if more > 0 else "")
    numbers = [
        ("Calls", sum(row["event_count"] for row in answer.activity), "in the window"),
        ("Denied", sum(row["denied_count"] for row in answer.activity), "of them"),
        ("Findings", len(answer.findings), "that concern it"),
        ("Rejects", answer.network.reject_count, "flow records around it"),
    ]
    return [blocks.verdict(answer.sentence, detail, worst), blocks.kpis(numbers)]


def lineage(answer: Answer) -> list[Block]:
    """Where its credentials come from, and what it went on to take: a picture, and each step with its proof."""
    nodes = pd.DataFrame(list(_nodes(answer)), columns=_NODES)
    hops = _together(hop for traced in answer.lineages for hop in traced.lineage.hops)
    makers = _together(one.lineage.made_by for one in answer.lineages if one.lineage.made_by)
    candidates = _together(hop for traced in answer.lineages for hop in traced.lineage.candidates)
    shown = [
        blocks.chart(
            lineage_picture(nodes),
            title="Lineage",
            data=nodes[["name", "detail", "place", "certainty"]],
            empty="No call of it lies in the window, so there is nothing to trace.",
        ),
        _steps(hops, "Each step and the event that proves it", "It acts as what it is: no step leads to it."),
    ]
    if makers:
        shown.append(
            _steps(makers, "Keys that somebody else made", "", about="Whoever made a key holds its secret too.")
        )
    if candidates:
        about = "Several events fit alike, so none of them was taken for the step."
        shown.append(_steps(candidates, "Steps that cannot be told apart", "", about=about))
    shown.append(_steps(answer.issued, "What it went on to take", "It took no other role and no other credentials."))
    return shown


def activity(audit: Audit, answer: Answer) -> list[Block]:
    """What it did when, by service, what was denied, from where, and which secrets it touched."""
    asked = audit.ask("identity/timeline_of", answer.subject.as_parameters(), window=answer.window)
    minutes = asked.frame()
    is_denied = minutes["outcome"] == "denied"
    events = minutes.assign(time=minutes["minute_start"], denied_count=minutes["event_count"].where(is_denied, 0))
    rejects = pd.DataFrame(answer.network.rejects, columns=["first_seen", "reject_count"])
    rejects = rejects.rename(columns={"first_seen": "time"})
    nothing = f"No call of it lies in {answer.window}."
    return [
        blocks.chart(
            subject_timeline(events, rejects), title="When", data=minutes, sql=asked.sql, empty=nothing
        ),
        _table(answer.activity, ["service", *_COUNTS, "event_names", "event_id"], "Calls by service", nothing),
        _table(
            answer.denials,
            ["service", "event_name", "resource_arn", "event_count", "source_ips", "first_seen", "last_seen",
             "error_message", "principal_arn", "session_name", "event_id"],
            "Denied",
            "Nothing was denied.",
        ),
        _table(answer.addresses, ["source_ip", *_COUNTS, "principal_arns", "event_id"], "From where", nothing),
        _table(answer.user_agents, ["user_agent", *_COUNTS, "source_ips", "event_id"], "With what", nothing),
        _table(
            answer.secrets,
            ["secret", *_COUNTS, "event_names", "principal_arns", "event_id"],
            "Secrets",
            "It touched no secret.",
        ),
        _table(
            answer.done_to,
            ["service", "event_name", "resource_arn", "outcome", "event_count", "principal_arn", "session_name",
             "source_ips", "first_seen", "last_seen", "event_id"],
            "What others did to it",
            "Nobody else called anything about it.",
        ),
    ]  # fmt: skip


def workload(answer: Answer) -> list[Block]:
    """The ECS side: its tasks, and who registered, deployed and started them."""
    tasks = [
        task.as_json() | {"first_seen": task.first_seen, "last_seen": task.last_seen} for task in answer.workload.tasks
    ]
    makers = [
        {
            "time": maker.made.event_time,
            "event": maker.made.event_name,
            "service": maker.made.service,
            "task_definition": maker.made.what,
            "by": label(maker.made.by),
            "origin": said(maker.origin),
            "certainty": maker.made.certainty,
            "because": maker.made.because,
            "event_id": maker.made.event_id,
        }
        for maker in answer.workload.makers
    ]
    columns = [
        "task_id", "service", "cluster", "task_definition", "role_arns", "first_seen", "last_seen", "interface_ids",
        "event_ids", "flow", "account_id",
    ]  # fmt: skip
    injected = [one.as_json() for one in answer.workload.injected]
    shown = [
        _table(tasks, columns, "ECS tasks", "It is no ECS task, and has none in these logs."),
        _table(
            makers, list(makers[0]) if makers else [], "Who registered, deployed and started", "Nobody, in these logs."
        ),
    ]
    if injected:
        shown.append(_table(injected, list(injected[0]), "Task definitions that inject it", ""))
    return shown if tasks or makers or injected else shown[:1]


def findings(audit: Audit, answer: Answer) -> list[Block]:
    """The findings that concern it, each with its evidence."""
    evidence = audit.evidence(answer.findings, window=answer.window)
    return [blocks.findings(answer.findings, evidence=evidence, empty="No rule fired for it.")]


def network(answer: Answer) -> list[Block]:
    """What the network refused around it, and which of its events that belongs to."""
    if not answer.network.has_flows:
        text = f"No flow record lies in {answer.window}, so nothing can be said about rejects."
        return [blocks.note(text, "warning")]
    links = list(answer.network.links)
    return [
        _table(links, list(links[0]) if links else [], "Rejects and events", "No reject belongs to an event of it."),
        _table(
            answer.network.rejects, _REJECTS, "Rejects", "Nothing of its addresses, interfaces or tasks was rejected."
        ),
    ]


def unknown(answer: Answer) -> list[Block]:
    """What the logs cannot tell of it."""
    return [blocks.note(text) for text in answer.unknown] or [
        blocks.note("Nothing is left open that the logs could tell.")
    ]


def _nodes(answer: Answer) -> Iterator[dict[str, Any]]:
    """Every identity once, below the one that it got its credentials from; the subject's own, then what they took."""
    own = {traced.use.identity for traced in answer.lineages}
    seen: dict[Identity, dict[str, Any]] = {}
    for traced in answer.lineages:
        _add_lineage(traced.lineage, seen)
    for hop in answer.issued:
        _add(hop.by, None, "", "proven", seen)
        _add(hop.to, hop.by, _detail(hop), hop.certainty, seen)
    origins = {traced.lineage.origin.identity for traced in answer.lineages}
    names = {identity: str(number) for number, identity in enumerate(seen)}
    for identity, node in seen.items():
        place = "subject" if identity in own else "origin" if identity in origins else "between"
        yield node | {"node": names[identity], "parent": names.get(node["parent"]), "place": place}


def _add_lineage(one: Lineage, seen: dict[Identity, dict[str, Any]]) -> None:
    first = one.hops[0].by if one.hops else one.origin.identity
    _add(
        first,
        None,
        one.origin.because if not one.hops else "",
        one.origin.certainty if not one.hops else "proven",
        seen,
    )
    for hop in one.hops:
        _add(hop.to, hop.by, _detail(hop), hop.certainty, seen)


def _add(
    identity: Identity, parent: Identity | None, detail: str, certainty: str, seen: dict[Identity, dict[str, Any]]
) -> None:
    node = {"name": label(identity), "detail": detail, "certainty": certainty, "parent": parent}
    if identity not in seen or (seen[identity]["parent"] is None and parent is not None):
        seen[identity] = node


def _detail(hop: Hop) -> str:
    where = f" from {hop.source_ip}" if hop.source_ip else ""
    key = f", key {hop.to.access_key_id}" if hop.to.access_key_id else ""
    return f"{hop.event_name} at {hop.event_time:%Y-%m-%d %H:%M:%S} UTC{where}{key}; {hop.certainty}"


def _together(hops: Iterable[Hop]) -> list[Hop]:
    """Each step once, the oldest first."""
    found = {(hop.event_id, hop.to): hop for hop in hops}
    return sorted(found.values(), key=lambda hop: (hop.event_time, hop.event_id))


def _steps(hops: Sequence[Hop], title: str, empty: str, *, about: str = "") -> Block:
    rows = [
        {
            "time": hop.event_time,
            "event": hop.event_name,
            "by": label(hop.by),
            "became": label(hop.to),
            "key": hop.to.access_key_id,
            "source_ip": hop.source_ip,
            "certainty": hop.certainty,
            "because": hop.because,
            "event_id": hop.event_id,
        }
        for hop in hops[:MOST_HOPS]
    ]
    return _table(rows, _CHAIN, title, empty, about=about, total=len(hops))


def _table(
    rows: Sequence[Any], columns: list[str], title: str, empty: str, *, about: str = "", total: int | None = None
) -> Block:
    frame = pd.DataFrame(list(rows), columns=columns)
    return blocks.table(frame, title=title, about=about, empty=empty, total=total)
