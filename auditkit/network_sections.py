"""The sections of the report on rejected traffic: what was refused, what for, and what that has to do with the events.

Where the window has no flow record the verdict says so, and the sections that need one are empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditkit import reject_blocks
from auditkit.audit import Audit
from auditkit.model import Result, counted
from auditkit.network import sentence, strongest_first
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
_SCAN = [
    "srcaddr", "kind", "workload_kind", "service", "door_count", "host_count", "port_count", "reject_count",
    "hours_active", "most_ports_an_hour", "most_hosts_an_hour", "first_seen", "last_seen", "is_public", "workload_id",
    "interface_id", "interface_count", "account_id", "flow",
]  # fmt: skip
_REFUSED_OUT = [
    "workload_kind", "service", "workload_id", "dstaddr", "dstport", "reject_count", "packets", "first_seen",
    "last_seen", "is_public", "protocol", "srcaddrs", "interface_ids", "cluster", "account_id", "flow",
]  # fmt: skip
_CAUSE = [
    "cause", "srcaddr", "dstaddr", "port", "protocol", "reject_count", "first_seen", "last_seen", "accepted_at",
    "interface_id", "flow_direction", "account_id", "flow",
]  # fmt: skip
_OPEN_BEFORE = [
    "srcaddr", "dstaddr", "dstport", "protocol", "accepts_before", "last_accept", "first_reject", "last_reject",
    "reject_count", "next_accept", "still_refused", "ecs_service_name", "ecs_task_id", "instance_id", "interface_id",
    "account_id", "flow",
]  # fmt: skip
_LET_IN = [
    "srcaddr", "dstaddr", "dstport", "reject_count", "first_accept", "accept_count", "because", "confidence",
    "event_names", "first_event", "first_reject", "last_reject", "workload", "protocol", "interface_id",
    "session_name", "account_id", "principal_arn", "event_id", "flow",
]  # fmt: skip
_WORKLOAD = [
    "interface_id", "workload_kind", "workload_id", "service", "reject_count", "private_ip", "public_ip",
    "security_groups", "first_seen", "last_seen", "told_by", "cluster", "subnet_id", "vpc_id", "account_id", "role",
    "task_definition_arn", "description", "event_id", "made_event_id", "flow",
]  # fmt: skip
_PLACES = {"srcaddr": "source_place", "dstaddr": "destination_place"}
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
    about = run.of(RULES)
    worst = about[0] if about else None  # they come worst first
    found = f"The worst finding: {worst.summary}" if worst else "No rule about the network fired."
    severity = worst.severity if worst else None
    if not asked.is_recorded:
        return [blocks.verdict(reject_blocks.none_recorded(audit).text, found, severity or "info")]
    hours, links = asked.hours.frame(), strongest_first(asked.links.table.to_pylist())
    rejects, accepts, lost = (int(hours[name].sum()) for name in ("reject_count", "accept_count", "lost_count"))
    sources, interfaces = asked.sources.table.num_rows, asked.peers.frame()["interface_id"].nunique()
    answer = f"None of {counted(accepts, 'flow record')} was rejected."
    if rejects:
        more = "at least " if reject_blocks.cut(asked.sources) else ""
        answer = f"{rejects:,} of {counted(rejects + accepts, 'flow record')} {'was' if rejects == 1 else 'were'} "
        answer += f"rejected, from {more}{counted(sources, 'source')}."
    parts = [found]
    if rejects:
        parts += [
            f"The strongest link: {sentence(links[0])}" if links else "No reject has anything in common with an event."
        ]
    if lost:
        parts += [f"Records of {counted(lost, 'interval')} were lost: what was rejected then is not known."]
    numbers = [
        ("Rejects", rejects, "flow records, each of up to ten minutes"),
        ("Sources", sources, f"addresses that were refused{_more(asked.sources)}"),
        ("Interfaces", interfaces, f"where it happened{_more(asked.peers)}"),
        ("Links", len(links), "of rejects and events"),
        ("Findings", len(about), "of rules about the network"),
    ]
    return [blocks.verdict(answer, " ".join(parts), severity), blocks.kpis(numbers)]


def beside_events(audit: Audit, asked: Refused) -> list[Block]:
    """What principals have in common with rejected traffic, with one proof of each side."""
    return [reject_blocks.beside_events(audit, asked.links)] if asked.is_recorded else []


def scanners(audit: Audit, asked: Refused) -> list[Block]:
    """Who was refused at many ports or hosts, at once or slowly, and which of them are our own workloads."""
    if not asked.is_recorded:
        return []
    scans = audit.ask("network/scans", {"limit": MOST_ROWS})
    frame = scans.frame()
    own = int(frame["interface_id"].notna().sum())
    return [
        blocks.table(
            with_places(frame[_SCAN], audit.places, {"srcaddr": "place"}),
            title="Sources refused at many doors",
            about=f"{counted(len(frame), 'source')}, {_or_none(own)} of them an interface of ours. A door is a host "
            f"and a port; kind says what there were many of, and slow is a scan of few doors at a time. "
            f"{reject_blocks.cut(scans)}".strip(),
            sql=scans.sql,
            empty=f"No source was refused at many ports or hosts in {audit.window}.",
        )
    ]


def refused_out(audit: Audit, asked: Refused) -> list[Block]:
    """Which of our workloads were refused on their way out, and where they wanted to go."""
    if not asked.is_recorded:
        return []
    out = audit.ask("network/rejects_by_workload", {"limit": MOST_ROWS})
    frame = out.frame()
    public = int(frame.loc[frame["is_public"].eq(True), "reject_count"].sum())
    return [
        blocks.table(
            with_places(frame[_REFUSED_OUT], audit.places, {"dstaddr": "place"}),
            title="Where our workloads wanted to go",
            about=f"{counted(int(frame['reject_count'].sum()), 'reject')} on the way out, {_or_none(public)} of them "
            f"to public addresses. Answers to clients are left out. {reject_blocks.cut(out)}".strip(),
            sql=out.sql,
            empty=f"No workload of ours was refused on its way out in {audit.window}, as far as the records tell.",
        )
    ]


def open_before(audit: Audit, asked: Refused) -> list[Block]:
    """Where traffic was accepted first, and refused since."""
    if not asked.is_recorded:
        return []
    doors = audit.ask("network/refused_after_open", {"limit": MOST_ROWS})
    frame = doors.frame()
    still = int(frame["still_refused"].sum())
    return [
        blocks.table(
            with_places(frame[_OPEN_BEFORE], audit.places, _PLACES),
            title="Doors that were closed",
            about=f"{counted(len(frame), 'door')}, each a source, an interface and a port; {_or_none(still)} of them "
            f"still closed at the end of the window. What closed a door may stand among the rejects and events. "
            f"{reject_blocks.cut(doors)}".strip(),
            sql=doors.sql,
            empty=f"Nothing that was accepted before was refused again and again in {audit.window}.",
        )
    ]


def let_in(audit: Audit, asked: Refused) -> list[Block]:
    """Who was let in after having been refused, and the event in between."""
    if not asked.is_recorded:
        return []
    later = audit.ask("network/accepted_after_rejects", {"limit": MOST_ROWS})
    frame = later.frame()
    explained = int(frame["event_id"].notna().sum())
    return [
        blocks.table(
            with_places(frame[_LET_IN], audit.places, _PLACES),
            title="Sources that got through",
            about=f"{counted(len(frame), 'door')}, each a source, a host and a port, refused first and let through "
            f"later; of {_or_none(explained)} an event in between is known: a change that opened the way, or a call of "
            f"the same address. {reject_blocks.cut(later, 'first')}".strip(),
            sql=later.sql,
            empty=f"Nobody who was refused was let in afterwards in {audit.window}.",
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
        with_places(frame.assign(cause=frame["cause"].map(_CAUSES))[_CAUSE], audit.places, _PLACES),
        title="Causes by peer and port",
        about="Few records say what refused them, and some can be told by their neighbours: accepted_at is when these "
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


def workloads(audit: Audit, asked: Refused) -> list[Block]:
    """Which workload is behind which interface, those with most rejects first."""
    if not asked.is_recorded:
        return []
    known = audit.ask("network/interfaces", {"limit": MOST_ROWS})
    counts = asked.peers.frame().groupby("interface_id")["reject_count"].sum()
    frame = known.frame()
    frame = frame.assign(reject_count=frame["interface_id"].map(counts).fillna(0).astype("int64"))
    frame = frame.sort_values("reject_count", ascending=False, kind="stable")
    unknown = int((frame["workload_kind"] == "unknown").sum())
    return [
        blocks.table(
            frame[_WORKLOAD],
            title="Interfaces and their workloads",
            about=f"Of {_or_none(unknown)} of {counted(len(frame), 'row')} no log tells what the interface was. "
            "Rejects are those of the interface, whoever had it. told_by is who says so.",
            labels={"reject_count": "Rejects of interface"},
            sql=known.sql,
            empty=f"No log tells of an interface in {audit.window}.",
        )
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
    about = run.of(RULES)
    nothing = f"No rule about the network fired in {audit.window}."
    return [blocks.findings(about, evidence=audit.evidence(about), empty=nothing)]


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


def _more(asked: Result) -> str:
    return "; there are more" if reject_blocks.cut(asked) else ""


def _or_none(count: int) -> str:
    return f"{count:,}" if count else "none"
