"""Rejected traffic as blocks, for every report that shows it: over time, by address, port, direction and peer."""

from __future__ import annotations

import pandas as pd

from auditkit import charts
from auditkit.audit import Audit
from auditkit.model import Result
from auditkit.network import sentence, strongest_first
from auditkit.place_columns import with_places
from auditkit.places import Places
from auditkit.report import blocks
from auditkit.report.block import Block

MOST_ROWS = 10_000  # asked of a question that could give millions; what is shown of them says of how many

# What a reader looks for stands first; long ARNs stand last, or they push the numbers out of sight.
_LINK = [
    "link", "confidence", "kind", "effect", "shared", "reject_count", "event_count", "denied_count", "first_event",
    "last_event", "first_reject", "last_reject", "workloads", "dstports", "dstaddrs", "interface_ids", "event_names",
    "event_id", "flow", "session_name", "account_id", "principal_arn",
]  # fmt: skip
_WHO_WAS_REFUSED = [
    "interface_id", "flow_direction", "srcaddr", "dstaddr", "dstport", "protocol", "reject_count", "packets",
    "first_seen", "last_seen", "ecs_service_name", "ecs_task_id", "instance_id", "reject_reason", "subnet_id",
    "vpc_id", "account_id",
]  # fmt: skip


def none_recorded(audit: Audit) -> Block:
    """What is said in place of everything else, when no flow record lies in the window."""
    return blocks.note(f"No flow record lies in {audit.window}, so nothing can be said about rejects.", "warning")


def beside_events(audit: Audit, links: Result) -> Block:
    """*links*: `network/rejects_and_events`."""
    return blocks.table(
        _linked(links, audit.places),
        title="Rejects that belong to events",
        about="What a principal of the trail has in common with rejected traffic, an address, a task or an "
        "interface, and the changes after which rejects began or ended. event_id and flow prove either side.",
        sql=links.sql,
        empty="No rejected flow shares an address or an interface with an event, or follows on a change.",
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


def cut(asked: Result, which: str = "most refused") -> str:
    """What has to be said of an answer that has as many rows as were asked for."""
    return f"Only the {MOST_ROWS:,} {which}; there are more." if asked.table.num_rows == MOST_ROWS else ""


def _linked(asked: Result, places: Places) -> pd.DataFrame:
    """The links of rejects and events, the strongest first, with their sentences and the places of shared addresses."""
    links = strongest_first(asked.table.to_pylist())
    frame = pd.DataFrame([{**link, "link": sentence(link)} for link in links], columns=_LINK)
    for name in ("first_event", "last_event", "first_reject", "last_reject"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    placed = with_places(frame, places, {"shared": "place"})
    if "place" in placed:
        placed["place"] = placed["place"].where(placed["kind"].isin(["address", "endpoint"]), None)
    return placed
