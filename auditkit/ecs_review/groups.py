"""Step 1: does each layer let in the layer in front of it alone, and only the load balancer everybody?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from auditkit.ecs_review.facts import Facts, groups_of
from auditkit.ecs_review.step import (
    About,
    Check,
    Evidence,
    Row,
    Step,
    Verdict,
    at,
    by,
    ids,
    named,
    quoted,
    rows,
    step,
    told,
)
from auditkit.model import Finding, at_least

ABOUT = About(
    1,
    "Security groups in layers",
    "The load balancer is the only door. When tasks or the database let in addresses, one mistake or one open rule "
    "puts them on the internet.",
    "Rules made before the window, and which group an interface wears when no call of the window names it. Network "
    "ACLs and routes are not looked at here.",
    ("1.2.5", "1.3.1", "1.4.1", "1.4.4"),
)
LAYERS = ("load balancer", "task", "database")
FOUND = (
    "network.opened_then_reached", "network.database_port_from_internet", "network.remote_admin_from_internet",
    "network.security_group_wide", "network.interface_groups_swapped",
)  # fmt: skip
_REVOKE = (
    "Revoke every rule that lets addresses of the internet into tasks or databases; let the load balancer's group into "
    "the tasks, and the tasks' group into the database, by group."
)
_CAME_IN = (
    "Find out who came in while the rule was open: `auditkit report network_rejects`, and the finding "
    "network.database_port_from_internet. Change the passwords of the database."
)


def security_groups(facts: Facts) -> Step:
    """Judged by the rules that were opened in the window, and by what the network let through."""
    changes = rows(facts.security_group_changes)
    layers = _layers(facts, changes)
    opened = [
        row
        for row in changes
        if row["change"] != "closed" and row["direction"] != "egress" and row["outcome"] == "ok" and row["peer"]
    ]
    checks = [
        *_to_everyone(facts, opened, changes, layers),
        *_to_networks(opened, layers),
        *_to_groups(opened, layers),
        *_refused(changes),
        *_found(facts),
    ]
    proven = {layers.get(row["group_id"], "") for row in opened if _is_right(facts, row, layers)}
    unknown = [layer for layer in LAYERS if layer not in proven]
    if unknown:
        checks.append(_unseen(unknown, layers))
    return step(
        ABOUT,
        checks,
        [
            Evidence(
                "Rules of security groups, changed in the window",
                facts.security_group_changes,
                "review/security_group_changes",
            ),
            Evidence("Which group stands before what", facts.security_groups, "review/security_groups"),
        ],
        _grave(facts),
    )


def _layers(facts: Facts, changes: Iterable[Row]) -> dict[str, str]:
    """Group id to its layer: as calls tell it, else as its rules let guess."""
    layers = {row["group_id"]: row["layer"] for row in rows(facts.security_groups)}
    if facts.is_scoped and (own := groups_of(facts.started)):
        layers = {group: layer for group, layer in layers.items() if layer != "task" or group in own}
    layers |= dict.fromkeys(groups_of(facts.started), "task")
    for row in changes:
        if row["direction"] == "egress" or not row["group_id"]:
            continue
        if layers.get(row["group_id"]) == "task" and row["peer_kind"] == "group":
            layers.setdefault(row["peer"], "load balancer")
        if row["from_port"] == row["to_port"] and row["from_port"] in facts.database_ports:
            layers.setdefault(row["group_id"], "database")
    return layers


def _is_right(facts: Facts, row: Row, layers: dict[str, str]) -> bool:
    """Whether a rule is what the layers ask for."""
    layer, front = layers.get(row["group_id"]), layers.get(row["peer"])
    if layer == "load balancer":
        return row["peer_kind"] == "internet" and _is_web(facts, row)
    return row["peer_kind"] == "group" and (layer, front) in (("task", "load balancer"), ("database", "task"))


def _is_web(facts: Facts, row: Row) -> bool:
    return row["from_port"] == row["to_port"] and row["from_port"] in facts.web_ports


def _to_everyone(
    facts: Facts, opened: Iterable[Row], changes: Iterable[Row], layers: dict[str, str]
) -> Iterator[Check]:
    reached = {finding.resource for finding in facts.found("network.opened_then_reached") if finding.outcome == "ok"}
    public = [row for row in opened if row["peer_kind"] == "internet"]

    def door(row: Row) -> tuple[str, str, int, int, str]:
        ports = (-1 if row["from_port"] is None else row["from_port"], -1 if row["to_port"] is None else row["to_port"])
        return (str(row["event_id"]), str(row["group_id"]), *ports, str(row["ip_protocol"]))

    for _, some in groupby(sorted(public, key=door), key=door):
        same = list(some)
        row = same[0]
        group, layer, events = row["group_id"], layers.get(row["group_id"]), ids(same)
        said = (
            f"{_called(group, layer)} was opened to the whole internet ({named(one['peer'] for one in same)}) on "
            f"{_ports(row)} by {by(row)} on {at(row['event_time'])}"
        )
        if _is_web(facts, row) and layer == "load balancer":
            yield Check("good", f"{said}, as a load balancer may be.", event_ids=events)
        elif _is_web(facts, row) and layer is None:
            yield Check("attention", f"{said}; the log does not say whether it is a load balancer's.", _REVOKE, events)
        else:
            closed = _closed(row, changes)
            came = "; traffic from the internet was let through after it" if group in reached else ""
            ended = f"; it was taken back on {at(closed['event_time'])}" if closed else "; nothing takes it back"
            yield Check("bad", f"{said}{came}{ended}.", _CAME_IN if closed else _REVOKE, events)
            if came and not closed:
                yield Check("bad", "It is still open as far as the log goes.", _CAME_IN, events)


def _closed(row: Row, changes: Iterable[Row]) -> Row | None:
    """The first call that took the rule back."""
    rule = ("account_id", "group_id", "ip_protocol", "from_port", "to_port", "peer")
    later = (
        one
        for one in changes
        if one["change"] == "closed"
        and one["outcome"] == "ok"
        and one["event_time"] >= row["event_time"]
        and all(one[name] == row[name] for name in rule)
    )
    return next(later, None)


def _to_networks(opened: Iterable[Row], layers: dict[str, str]) -> Iterator[Check]:
    for row in opened:
        layer = layers.get(row["group_id"])
        if row["peer_kind"] in ("network", "prefix list") and layer in ("task", "database"):
            yield Check(
                "attention",
                f"{_called(row['group_id'], layer)} lets in addresses, {row['peer']}, on {_ports(row)} instead of a "
                f"group, since {at(row['event_time'])}, by {by(row)}.",
                _REVOKE,
                ids([row]),
            )


def _to_groups(opened: Iterable[Row], layers: dict[str, str]) -> Iterator[Check]:
    for row in opened:
        group, peer = row["group_id"], row["peer"]
        layer, front = layers.get(group), layers.get(peer)
        if row["peer_kind"] != "group" or layer not in ("task", "database"):
            continue
        said = f"{_called(group, layer)} lets in {_called(peer, front)} on {_ports(row)}"
        if (layer, front) in (("task", "load balancer"), ("database", "task")):
            yield Check("good", f"{said}, group to group, as of {at(row['event_time'])}.", event_ids=ids([row]))
        elif peer != group:
            yield Check(
                "attention",
                f"{said}, which is not the layer in front of it; opened by {by(row)} on {at(row['event_time'])}.",
                "Ask what stands behind that group, and take the rule back if nobody knows.",
                ids([row]),
            )


def _refused(changes: Iterable[Row]) -> Iterator[Check]:
    tried = [row for row in changes if row["outcome"] != "ok" and row["change"] != "closed"]
    if tried:
        yield Check(
            "attention",
            f"{named(by(row) for row in tried)} tried to open a security group and failed.",
            "Ask them what for.",
            ids(tried),
        )


def _grave(facts: Facts) -> list[Finding]:
    """Findings on doors; of attempts on the database that were all refused there are many on every public address."""
    return [finding for finding in facts.found(*FOUND) if finding.outcome == "ok"]


def _found(facts: Facts) -> Iterator[Check]:
    for finding in _grave(facts):
        if finding.rule == "network.opened_then_reached":  # told with the rule that opened the door
            continue
        verdict: Verdict = "bad" if at_least(finding.severity, "high") else "attention"
        yield Check(verdict, told(finding), finding.response, finding.evidence)


def _unseen(unknown: list[str], layers: dict[str, str]) -> Check:
    known = sorted(group for group, layer in layers.items() if group and layer in unknown)
    asked = f" --group-ids {quoted(*known)}" if known else ""
    return Check(
        "cannot_tell",
        f"Which rules the {named(unknown)} had before is not in these logs: no call of the window sets them as the "
        "layers ask for.",
        f"`aws ec2 describe-security-groups{asked}`",
    )


def _called(group: str, layer: str | None) -> str:
    words = {"task": "of the tasks", "database": "of the database", "load balancer": "of the load balancer"}
    return f"{group} ({words[layer]})" if layer else str(group)


def _ports(row: Row) -> str:
    first, last = row["from_port"], row["to_port"]
    if row["ip_protocol"] == "-1" or first is None:
        return "every port"
    return f"port {int(first)}" if first == last else f"ports {int(first)} to {int(last)}"
