"""The sections of the report on rejected traffic: what was refused, what for, and what that has to do with the events.

Where the window has no flow record the verdict says so, and the sections that need one are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from auditkit import reject_blocks
from auditkit.audit import Audit
from auditkit.identity.subject import short
from auditkit.model import Finding, Result, counted
from auditkit.place_columns import with_places
from auditkit.reject_blocks import MOST_ROWS
from auditkit.report import blocks
from auditkit.report.block import Block
from auditkit.rules import RuleRun

RULES = "network."  # the rules whose findings are shown here

_CAUSES = {  # the surest first
    "block_public_access": "Block Public Access",
    "encryption_control": "Encryption control",
    "network_acl": "Network ACL",
    "after_close": "Late packets",
    "security_group_or_network_acl": "Group or network ACL",
}
_CONFIDENCE = ["high", "medium", "low"]
_CAUSE = [
    "cause", "srcaddr", "dstaddr", "port", "protocol", "reject_count", "first_seen", "last_seen", "accepted_at",
    "interface_id", "flow_direction", "because", "account_id", "flow",
]  # fmt: skip
_OPEN_BEFORE = [
    "srcaddr", "dstaddr", "dstport", "protocol", "accepts_before", "last_accept", "first_reject", "last_reject",
    "reject_count", "next_accept", "still_refused", "ecs_service_name", "ecs_task_id", "instance_id", "interface_id",
    "account_id", "flow",
]  # fmt: skip
_BLIND = ["interface_id", "day", "blind_s", "interval_count", "first_seen", "last_seen", "vpc_id", "region"]


@dataclass(frozen=True)
class Refused:
    """What several sections look at, asked once: answers of `network/timeline`, `rejects_by_source`,
    `rejects_by_interface` (both at most MOST_ROWS) and `rejects_and_events`."""

    hours: Result
    sources: Result
    peers: Result
    links: Result

    @property
    def is_recorded(self) -> bool:
        """Whether the window has flow records at all."""
        return bool(self.hours.table.num_rows)


def refused(audit: Audit) -> Refused:
    """The questions that several sections look at."""
    return Refused(
        hours=audit.ask("network/timeline"),
        sources=audit.ask("network/rejects_by_source", {"limit": MOST_ROWS}),
        peers=audit.ask("network/rejects_by_interface", {"limit": MOST_ROWS}),
        links=audit.ask("network/rejects_and_events"),
    )


def verdict(audit: Audit, asked: Refused, run: RuleRun) -> list[Block]:
    """The answer in one sentence, and the numbers behind it; as bad as the worst finding about the network."""
    about = about_network(run)
    worst = about[0] if about else None  # they come worst first
    if not asked.is_recorded:
        note = reject_blocks.none_recorded(audit)
        detail = "Events that change the network are judged all the same; see the findings."
        return [blocks.verdict(note.text, detail, worst.severity if worst else "info")]
    hours, links = asked.hours.frame(), asked.links.frame()
    rejects, accepts, lost = (int(hours[name].sum()) for name in ("reject_count", "accept_count", "lost_count"))
    sources, interfaces = asked.sources.table.num_rows, asked.peers.frame()["interface_id"].nunique()
    sentence = f"None of {counted(accepts, 'flow record')} was rejected"
    if rejects:
        sentence = f"{rejects:,} of {counted(rejects + accepts, 'flow record')} {'was' if rejects == 1 else 'were'} "
        sentence += f"rejected, from {_at_least(asked.sources)}{counted(sources, 'source')}"
    sentence += f"; the worst finding: {worst.summary}" if worst else "; no rule about the network fired."
    said = [_strongest(links) if rejects else ""]
    said += [f"AWS lost {counted(lost, 'record')}: what was rejected then is not known."] if lost else []
    numbers = [
        ("Rejects", rejects, "flow records, each of up to ten minutes"),
        ("Sources", sources, f"{_at_least(asked.sources)}so many addresses were refused"),
        ("Interfaces", interfaces, f"{_at_least(asked.peers)}so many where it happened"),
        ("Links", len(links), "of rejects and events"),
        ("Findings", len(about), "of rules about the network"),
    ]
    shown = worst.severity if worst else None
    return [blocks.verdict(sentence, " ".join(filter(None, said)), shown), blocks.kpis(numbers)]


def beside_events(audit: Audit, asked: Refused) -> list[Block]:
    """What principals have in common with rejected traffic, with one proof of each side."""
    return [reject_blocks.beside_events(audit, asked.links)] if asked.is_recorded else []


def open_before(audit: Audit, asked: Refused) -> list[Block]:
    """Where traffic was accepted first, and refused since."""
    if not asked.is_recorded:
        return []
    doors = audit.ask("network/refused_after_open", {"limit": MOST_ROWS})
    frame = doors.frame()
    still = int(frame["still_refused"].sum())
    return [
        blocks.table(
            with_places(frame[_OPEN_BEFORE], audit.places, {"srcaddr": "source_place", "dstaddr": "destination_place"}),
            title="Open before, refused since",
            about=f"{still:,} of {counted(len(frame), 'source and port')} "
            f"{'is' if still == 1 else 'are'} still refused at the end of the window. What closed the door may stand "
            f"among the rejects that belong to events. {reject_blocks.cut(doors)}".strip()
            if len(frame)
            else "",
            sql=doors.sql,
            empty=f"Nothing that was accepted before was refused again and again in {audit.window}.",
        )
    ]


def causes(audit: Audit, asked: Refused) -> list[Block]:
    """What refused it, as far as the records tell: rejects by cause, and each peer and port."""
    if not asked.is_recorded:
        return []
    told = audit.ask("network/reject_causes", {"limit": MOST_ROWS})
    frame = told.frame()
    counts = frame.groupby("cause")["reject_count"].sum()
    because = frame.drop_duplicates("cause").set_index("cause")["because"]
    numbers = [(name, int(counts[cause]), because[cause]) for cause, name in _CAUSES.items() if cause in counts]
    table = blocks.table(
        with_places(
            frame.assign(cause=frame["cause"].map(_CAUSES))[_CAUSE],
            audit.places,
            {"srcaddr": "source_place", "dstaddr": "destination_place"},
        ),
        title="Causes by peer and port",
        about="A record says only now and then what refused it. Where its neighbours tell, accepted_at is when they "
        f"were accepted. {reject_blocks.cut(told)}".strip(),
        sql=told.sql,
        empty=reject_blocks.nothing(audit),
    )
    return [blocks.kpis(numbers), table] if numbers else [table]


def breakdown(audit: Audit, asked: Refused) -> list[Block]:
    """Rejects by hour, source, destination, port, direction and interface."""
    if not asked.is_recorded:
        return []
    return [
        reject_blocks.over_time(audit, asked.hours),
        reject_blocks.by_source(audit, asked.sources),
        reject_blocks.by_destination(audit),
        reject_blocks.by_port(audit),
        reject_blocks.by_direction(audit),
        reject_blocks.by_peer(audit, asked.peers),
    ]


def blind(audit: Audit, asked: Refused) -> list[Block]:
    """When and where flow records were lost: no reject shown then means nothing."""
    if not asked.is_recorded:
        return []
    by_interface, intervals = audit.ask("evidence/blind_time"), audit.ask("evidence/blind_intervals")
    nothing = f"AWS skipped no record in {audit.window}, as far as the records tell."
    frame = by_interface.frame()
    lost = frame["blind_s"].sum() / 60
    return [
        blocks.table(
            frame[_BLIND],
            title="Blind time by interface",
            about=f"{lost:,.0f} minutes of {counted(frame['interface_id'].nunique(), 'interface')} in which AWS "
            "skipped records (SKIPDATA). No reject shown then means nothing.",
            sql=by_interface.sql,
            empty=nothing,
        ),
        *([_intervals(intervals)] if intervals.table.num_rows else []),
    ]


def findings(audit: Audit, run: RuleRun) -> list[Block]:
    """What the rules about the network found."""
    about = about_network(run)
    nothing = f"No rule about the network fired in {audit.window}."
    return [blocks.findings(about, evidence=audit.evidence(about), empty=nothing)]


def about_network(run: RuleRun) -> Sequence[Finding]:
    """What the rules about the network found, worst first."""
    return [finding for finding in run.findings if finding.rule.startswith(RULES)]


def _strongest(links: pd.DataFrame) -> str:
    """In words, the link with the highest confidence; of those the one with the most rejects."""
    if links.empty:
        return "No rejected flow has anything in common with an event."
    rank = links["confidence"].map({name: rank for rank, name in enumerate(_CONFIDENCE)})
    ordered = links.assign(rank=rank).sort_values(["rank", "reject_count"], ascending=[True, False], kind="stable")
    link = ordered.iloc[0]
    who = short(link["principal_arn"]) if isinstance(link["principal_arn"], str) else "An unknown principal"
    return (
        f"The strongest link: {who} and {counted(int(link['reject_count']), 'reject')} have in common the "
        f"{link['kind'].replace('_', ' ')} {link['shared']} ({link['confidence']} confidence)."
    )


def _intervals(asked: Result) -> Block:
    """The intervals of SKIPDATA, without the files that they are told by."""
    where = ["account_id", "region", "start_time", "end_time"]
    frame = asked.frame().groupby(where, as_index=False, dropna=False).agg({"interface_count": "sum"})
    return blocks.table(
        frame[["start_time", "end_time", "interface_count", "account_id", "region"]].sort_values("start_time"),
        title="Blind intervals",
        about="When records were lost, and of how many interfaces.",
        sql=asked.sql,
    )


def _at_least(asked: Result) -> str:
    return "at least " if asked.table.num_rows == MOST_ROWS else ""
