"""Rejected traffic as blocks, for every report that shows it: over time, by address, port, direction and peer."""

from __future__ import annotations

import pandas as pd

from auditkit import charts
from auditkit.audit import Audit
from auditkit.identity.subject import short
from auditkit.model import Result
from auditkit.place_columns import with_places
from auditkit.places import Places
from auditkit.report import blocks
from auditkit.report.block import Block

MOST_ROWS = 10_000  # asked of a question that could give millions; what is shown of them says of how many

# What a reader looks for stands first; long ARNs stand last, or they push the numbers out of sight.
_LINK = [
    "kind", "effect", "confidence", "shared", "principal_name", "reject_count", "accept_count", "event_count",
    "denied_count", "event_names", "workloads", "srcaddrs", "dstaddrs", "dstports", "gap_s", "first_event",
    "last_event", "first_reject", "last_reject", "changed", "task_count", "interface_count", "interface_ids",
    "account_id", "session_name", "principal_arn", "event_id", "flow",
]  # fmt: skip
_CONFIDENCE = ["high", "medium", "low"]
_KIND = ["change", "address", "task", "endpoint", "interface"]  # what says most of why traffic was refused first
_WHO_WAS_REFUSED = [
    "interface_id", "flow_direction", "srcaddr", "dstaddr", "dstport", "protocol", "reject_count", "packets",
    "first_seen", "last_seen", "ecs_service_name", "ecs_task_id", "instance_id", "reject_reason", "subnet_id",
    "vpc_id", "account_id",
]  # fmt: skip


def none_recorded(audit: Audit) -> Block:
    """What is said in place of everything else, when no flow record lies in the window."""
    return blocks.note(f"No flow record lies in {audit.window}, so nothing can be said about rejects.", "warning")


def by_strength(links: Result) -> pd.DataFrame:
    """The rows of `network/rejects_and_events`: the most certain first, then by kind, then those with most rejects."""
    frame = links.frame()
    rank = {
        "by_confidence": frame["confidence"].map({name: rank for rank, name in enumerate(_CONFIDENCE)}),
        "by_kind": frame["kind"].map({name: rank for rank, name in enumerate(_KIND)}),
        "by_count": -frame["reject_count"],
    }
    return frame.assign(**rank).sort_values(list(rank), kind="stable").drop(columns=list(rank))


def beside_events(audit: Audit, links: Result) -> Block:
    """*links*: `network/rejects_and_events`."""
    frame = by_strength(links)
    names = [short(arn) if isinstance(arn, str) else None for arn in frame["principal_arn"]]
    frame = frame.assign(principal_name=pd.Series(names, frame.index, object))[_LINK]
    return blocks.table(
        _placed_where_shared(frame, audit.places),
        title="Rejects that belong to events",
        about="What a principal of the trail has in common with rejected traffic: an address, an interface, a task, or "
        "a change of what the network lets through. event_id and flow are one proof of each side.",
        sql=links.sql,
        empty="No rejected flow shares an address, an interface or a task with an event, and none follows a change.",
    )


def over_time(audit: Audit, hours: Result) -> Block:
    """*hours*: `network/timeline`."""
    frame = hours.frame()
    rejects = frame[frame["reject_count"] > 0]
    return blocks.chart(
        charts.rejects_over_time(rejects, time="hour_start"),
        title="Rejects over time",
        data=rejects,
        sql=hours.sql,
        empty=nothing(audit),
    )


def by_port(audit: Audit) -> Block:
    ports = audit.ask("network/rejects_by_port", {"limit": MOST_ROWS})
    return blocks.chart(
        charts.rejects_by_port(ports.frame()),
        title="Rejects by port",
        data=ports.frame(),
        sql=ports.sql,
        empty=nothing(audit),
    )


def by_source(audit: Audit, sources: Result) -> Block:
    """*sources*: `network/rejects_by_source`."""
    frame = with_places(sources.frame(), audit.places, {"srcaddr": "place"})
    return blocks.chart(
        charts.top_addresses(frame), title="Rejects by source", data=frame, sql=sources.sql, empty=nothing(audit)
    )


def by_destination(audit: Audit) -> Block:
    destinations = audit.ask("network/rejects_by_destination", {"limit": MOST_ROWS})
    frame = with_places(destinations.frame(), audit.places, {"dstaddr": "place"})
    return blocks.chart(
        charts.top_addresses(frame, address="dstaddr", heading="Destination"),
        title="Rejects by destination",
        data=frame,
        sql=destinations.sql,
        empty=nothing(audit),
    )


def by_direction(audit: Audit) -> Block:
    directions = audit.ask("network/rejects_by_direction")
    return blocks.table(directions.frame(), title="Rejects by direction", sql=directions.sql, empty=nothing(audit))


def by_peer(audit: Audit, peers: Result) -> Block:
    """*peers*: `network/rejects_by_interface`, at most MOST_ROWS."""
    frame = peers.frame()[_WHO_WAS_REFUSED]
    return blocks.table(
        with_places(frame, audit.places, {"srcaddr": "source_place", "dstaddr": "destination_place"}),
        title="Rejects by interface and peer",
        about=cut(peers),
        sql=peers.sql,
        empty=nothing(audit),
    )


def nothing(audit: Audit) -> str:
    return f"No traffic was rejected in {audit.window}."


def cut(asked: Result) -> str:
    """What has to be said of an answer that has as many rows as were asked for."""
    return f"Only the {MOST_ROWS:,} most refused; there are more." if asked.table.num_rows == MOST_ROWS else ""


def _placed_where_shared(links: pd.DataFrame, places: Places) -> pd.DataFrame:
    """With the place of what both sides share, where that is an address."""
    placed = with_places(links, places, {"shared": "place"})
    if "place" in placed:
        placed["place"] = placed["place"].where(placed["kind"].isin(["address", "endpoint"]), None)
    return placed
