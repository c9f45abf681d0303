"""What `auditkit who` prints: the answer in a sentence, the chain with its proofs, and tables of all that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from auditkit.identity.activity import Row, some
from auditkit.identity.answer import Answer, Group, Maker
from auditkit.identity.hops import Hop, Identity
from auditkit.identity.sentence import said
from auditkit.identity.subject import short
from auditkit.model import SEVERITIES, Finding, counted
from auditkit.output import as_json, as_table
from auditkit.report.clean import clean

LISTED = 10  # rows of a table; --format json has them all
CHAINS = 5  # origins whose chain is drawn


def in_style(answer: Answer, style: str) -> str:
    """*answer* as `json` or as a `table`, which is what a person reads."""
    return as_json(answer.as_json()) if style == "json" else _as_text(answer)


def _as_text(answer: Answer) -> str:
    parts = [
        "\n".join(map(_one_line, [answer.sentence, *_in_short(answer)])),
        *_chains(answer.origins),
        *_section("WENT ON TO TAKE", [_hop_row(hop) for hop in answer.issued], oldest=True),
        *_workload(answer),
        *_activity(answer),
        *_section("DENIED", list(map(_denial_row, answer.denials))),
        *_section("ADDRESSES", list(map(_address_row, answer.addresses))),
        *_section("USER AGENTS", list(map(_agent_row, answer.user_agents))),
        *_section("SECRETS", list(map(_secret_row, answer.secrets)) if answer.subject.kind != "secret" else []),
        *_section("DONE TO IT, by others", list(map(_deed_row, answer.done_to))),
        *_section("FINDINGS", list(map(_finding_row, answer.findings))),
        *_network(answer),
    ]
    if answer.unknown:
        lines = "".join(f"\n  {_one_line(text)}" for text in answer.unknown)
        parts.append(f"CANNOT TELL, from these logs{lines}")
    return "\n\n".join([*parts, f"{answer.subject.kind}; window: {answer.window}"])


def _in_short(answer: Answer) -> Iterator[str]:
    """The line that says whether to read on."""
    told = []
    if answer.findings:
        worst = max((finding.severity for finding in answer.findings), key=SEVERITIES.index)
        told.append(f"{counted(len(answer.findings), 'finding')}, the worst {worst}")
    if answer.network.reject_count:
        told.append(f"{counted(answer.network.reject_count, 'flow record')} around it rejected")
    if told:
        yield f"{'; '.join(told)}."


def label(identity: Identity) -> str:
    """An identity in short: `ROLE/SESSION`, a user, a service, a key; with its account where nothing else names it."""
    name = short(identity.principal_arn) if identity.principal_arn else identity.access_key_id or "somebody unnamed"
    if ":oidc-provider/" in (identity.principal_arn or ""):  # whom a provider vouched for is behind its name
        name = str(identity.principal_arn).partition(":oidc-provider/")[2]
    called = f"{name}/{identity.session_name}" if identity.session_name else name
    return f"{called} of account {identity.account_id}" if identity.identity_type == "AWSAccount" else called


def _chains(groups: Sequence[Group]) -> Iterator[str]:
    """For each origin the longest way from it to what was asked about."""
    for group in groups[:CHAINS]:
        longest = max(group.traced, key=lambda one: len(one.lineage.hops))
        origin, hops, made_by = group.origin, longest.lineage.hops, longest.lineage.made_by
        lines = [f"FROM {said(origin)}", f"  {origin.because}"]
        for depth, hop in enumerate(hops):
            lines += _hop_lines(hop, "  " * (depth + 1))
        if made_by:
            lines.append(f"  {label(made_by.by)} made its key, and holds its secret too:")
            lines += _hop_lines(made_by, "  ")
        others = len(group.traced) - 1
        if others and hops:
            more = f"{counted(others, 'more key')} or {'session' if others == 1 else 'sessions'}"
            lines.append(f"  {more} of it; --format json has their chains.")
        yield "\n".join(map(_one_line, lines))
    if len(groups) > CHAINS:
        yield f"and {counted(len(groups) - CHAINS, 'more origin')}; --format json has them all"


def _hop_lines(hop: Hop, indent: str) -> list[str]:
    from_where = f", from {hop.source_ip}" if hop.source_ip else ""
    key = f", key {hop.to.access_key_id}" if hop.to.access_key_id else ""
    became = f"{label(hop.by)}  became  {label(hop.to)}{key}"
    return [
        f"{indent}-> {_time(hop.event_time)}  {hop.event_name}{from_where}: {became}",
        f"{indent}   {hop.certainty}, event {hop.event_id}: {hop.because}",
    ]


def _hop_row(hop: Hop) -> Row:
    return {
        "time": _time(hop.event_time),
        "event": hop.event_name,
        "by": label(hop.by),
        "took": label(hop.to),
        "key": hop.to.access_key_id,
        "source_ip": hop.source_ip,
        "certainty": hop.certainty,
        "event_id": hop.event_id,
    }


def _activity(answer: Answer) -> Iterator[str]:
    if answer.subject.kind != "secret":
        yield from _section("ACTIVITY, by service", list(map(_service_row, answer.activity)))
        return
    readers = [
        {
            "by": label(one.use.identity),
            "origin": said(one.lineage.origin),
            "meant_for_it": "yes" if answer.workload.means(one.use.identity.principal_arn) else "no",
            "reads": one.use.event_count,
            "denied": one.use.denied_count,
            "from": ", ".join(some(one.use.source_ips)),
            "first_seen": _time(one.use.first_seen),
            "last_seen": _time(one.use.last_seen),
        }
        for one in answer.lineages
    ]
    yield from _section("READ BY", readers)


def _workload(answer: Answer) -> Iterator[str]:
    workload = answer.workload
    tasks = [
        {
            "task": task.task_id,
            "service": task.service,
            "cluster": task.cluster,
            "definition": task.task_definition,
            "roles": ", ".join(map(short, task.role_arns)),
            "first_seen": _time(task.first_seen),
            "last_seen": _time(task.last_seen),
            "interfaces": task.interface_ids,
        }
        for task in workload.tasks
    ]
    yield from _section("ECS TASKS, the latest first", tasks)
    yield from _section("DEPLOYED, the latest first", list(map(_maker_row, workload.makers)))
    meant = [
        {
            "definition": one.task_definition,
            "roles": ", ".join(map(short, one.role_arns)),
            "registered_by": label(one.made.by),
            "time": _time(one.made.event_time),
            "event_id": one.made.event_id,
        }
        for one in workload.injected
    ]
    yield from _section("MEANT FOR, by task definition", meant)


def _maker_row(maker: Maker) -> Row:
    made = maker.made
    return {
        "time": _time(made.event_time),
        "event": made.event_name,
        "service": made.service,
        "definition": made.what,
        "by": label(made.by),
        "origin": said(maker.origin),
        "certainty": made.certainty,
        "event_id": made.event_id,
    }


def _network(answer: Answer) -> Iterator[str]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in answer.network.rejects:
        place = (row["interface_id"], row["srcaddr"], row["dstaddr"], row["flow_direction"], row["reject_reason"])
        groups.setdefault(place, []).append(row)
    rejects = [
        {
            "interface": interface,
            "from": source,
            "to": target,
            "ports": ", ".join(some(sorted({str(row["dstport"]) for row in rows}))),
            "direction": direction,
            "reason": reason,
            "rejects": sum(row["reject_count"] for row in rows),
            "first_seen": _time(min(row["first_seen"] for row in rows)),
            "last_seen": _time(max(row["last_seen"] for row in rows)),
        }
        for (interface, source, target, direction, reason), rows in groups.items()
    ]
    rejects.sort(key=lambda row: -row["rejects"])
    yield from _section("REFUSED BY THE NETWORK", rejects)
    links = [
        {
            "confidence": row["confidence"],
            "link": row["sentence"],
            "event_id": row["event_id"],
            "flow": row["flow"],
        }
        for row in answer.network.links
    ]
    yield from _section("REJECTS AND EVENTS", links)


def _section(title: str, rows: Sequence[Row], *, oldest: bool = False) -> Iterator[str]:
    """A table under its *title*, of columns that hold anything."""
    if not rows:
        return
    columns = [name for name in rows[0] if any(row[name] not in (None, "", 0) for row in rows)]
    more = len(rows) - LISTED
    rest = f"\nand {counted(more, 'more row')}{', later ones' if oldest else ''}; --format json has them all"
    yield f"{title}\n{as_table(columns, rows[:LISTED])}{rest if more > 0 else ''}"


def _service_row(row: Mapping[str, Any]) -> Row:
    return {"service": row["service"], **_counts(row), "calls": ", ".join(row["event_names"]), **_span(row)}


def _denial_row(row: Mapping[str, Any]) -> Row:
    return {
        "call": f"{row['service']}:{row['event_name']}",
        "resource": row["resource_arn"],
        "by": label(_named(row)),
        "times": row["event_count"],
        "from": ", ".join(row["source_ips"]),
        **_span(row),
        "event_id": row["event_id"],
    }


def _address_row(row: Mapping[str, Any]) -> Row:
    by = ", ".join(map(short, row["principal_arns"]))
    return {"address": row["source_ip"] or "none", "place": row["place"], **_counts(row), "by": by, **_span(row)}


def _agent_row(row: Mapping[str, Any]) -> Row:
    from_where = ", ".join(row["source_ips"])
    return {"user_agent": row["user_agent"] or "none", "events": row["event_count"], "from": from_where}


def _secret_row(row: Mapping[str, Any]) -> Row:
    by = ", ".join(map(short, row["principal_arns"]))
    return {"secret": row["secret"], **_counts(row), "calls": ", ".join(row["event_names"]), "by": by, **_span(row)}


def _deed_row(row: Mapping[str, Any]) -> Row:
    return {
        "call": f"{row['service']}:{row['event_name']}",
        "resource": row["resource_arn"],
        "by": label(_named(row)),
        "outcome": row["outcome"],
        "times": row["event_count"],
        "from": ", ".join(row["source_ips"]),
        **_span(row),
        "event_id": row["event_id"],
    }


def _finding_row(finding: Finding) -> Row:
    return {
        "severity": finding.severity,
        "first_seen": _time(finding.first_seen),
        "rule": finding.rule,
        "summary": finding.summary,
    }


def _named(row: Mapping[str, Any]) -> Identity:
    return Identity(principal_arn=row["principal_arn"], session_name=row["session_name"])


def _counts(row: Mapping[str, Any]) -> Row:
    return {"events": row["event_count"], "denied": row["denied_count"], "errors": row["error_count"]}


def _span(row: Mapping[str, Any]) -> Row:
    return {"first_seen": _time(row["first_seen"]), "last_seen": _time(row["last_seen"])}


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M:%S}"


def _one_line(text: str) -> str:
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")
