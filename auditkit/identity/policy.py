"""The policy that would have allowed what principals did, what they were refused, and what the logs cannot tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import pyarrow as pa

from auditkit.identity.actions import actions_of, is_action
from auditkit.identity.arns import ANY, resources_of
from auditkit.identity.calls import Call, calls_of
from auditkit.identity.caveats import notes, unsure
from auditkit.identity.documents import allows, documents, statements
from auditkit.identity.patterns import literal
from auditkit.identity.reference import spelled
from auditkit.identity.used import PassedRole, UsedAction, as_logged, granted
from auditkit.model import Ask, Window

_IAM_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:[a-z-]+/[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Policy:
    """What would have allowed the calls of some principals that went through, and nothing that was refused alone."""

    principals: tuple[str, ...]
    window: Window
    documents: tuple[dict[str, Any], ...]  # each valid by itself, none longer than IAM takes; all of them are needed
    used: tuple[UsedAction, ...]  # what is granted, by action, but for iam:PassRole
    passed: tuple[PassedRole, ...]  # why iam:PassRole is granted
    denied: tuple[UsedAction, ...]  # refused, and never granted for it
    failed: tuple[UsedAction, ...]  # let through or not, the call failed: not granted for it
    untold: tuple[UsedAction, ...]  # went through, but the event does not tell its action: missing in the documents
    unsure: tuple[str, ...]  # sentences on these documents
    notes: tuple[str, ...]  # sentences on what CloudTrail does not know of any principal
    data_sources: tuple[str, ...] = ()  # services of which the logs hold data events, by anyone

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values: times as ISO text, tuples as lists."""
        return {
            "principals": list(self.principals),
            "window": self.window.as_json(),
            "documents": list(self.documents),
            "used": [one.as_json() for one in self.used],
            "passed": [asdict(one) for one in self.passed],
            "denied": [one.as_json() for one in self.denied],
            "failed": [one.as_json() for one in self.failed],
            "untold": [one.as_json() for one in self.untold],
            "unsure": list(self.unsure),
            "notes": list(self.notes),
        }


def policy_for(ask: Ask, principals: Iterable[str], window: Window) -> Policy:
    """The policy of what *principals* did in *window*, all of them together.

    Args:
        ask: `Audit.ask`.
        principals: ARNs as in `principal_arn`: of users and roles, never of sessions.
    """
    asked = {"principals": sorted(set(principals))}
    used = ask("identity/used_actions", asked, window=window).table
    passed = ask("identity/passed_roles", asked, window=window).table
    data = ask("identity/data_sources", window=window).table
    return policy_of(used, passed, principals=asked["principals"], window=window, data=data["event_source"].to_pylist())


def policy_of(
    used: pa.Table,
    passed: pa.Table,
    *,
    principals: Iterable[str] = (),
    window: Window | None = None,
    data: Iterable[str] = (),
) -> Policy:
    """The policy of the rows of `identity/used_actions` and `identity/passed_roles`.

    Only calls that went through are granted. A refused call would make a policy of what an attacker tried. A call that
    failed otherwise was mostly let through, since most services look at permissions first, but not surely: it is told
    apart, for a reader to decide.

    Args:
        data: Event sources of which the logs hold data events.
    """
    calls = calls_of(used)
    sorted_out: dict[str, list[tuple[str, Call]]] = {"ok": [], "denied": [], "error": [], "untold": []}
    free: set[str] = set()
    for call in calls:
        needed = actions_of(call.event_source, call.event_name)
        refused = call.denied_action
        if call.outcome == "denied" and refused and is_action(refused):
            sorted_out["denied"].append((spelled(refused) or refused, call))
        elif needed.certainty == "free":
            free.add(call.event_name)
        elif needed.actions:
            sorted_out[call.outcome] += [(action, call) for action in needed.actions]
        else:
            name = f"{call.event_source}:{call.event_name}"
            sorted_out["untold" if call.outcome == "ok" else call.outcome].append((name, call))
    roles = passed.to_pylist()
    allowed = granted(sorted_out["ok"], _known(calls, roles))
    passes = _passes(roles)
    made = documents(statements({one.action: one.resources for one in allowed}, passes))
    denied = as_logged(sorted_out["denied"])
    tried_too = as_logged(
        (action, call) for action, call in sorted_out["denied"] if _is_allowed(made, action, call, passes)
    )
    untold = as_logged(sorted_out["untold"])
    sources = tuple(sorted(set(data)))
    return Policy(
        principals=tuple(sorted(set(principals) or {call.principal_arn for call in calls})),
        window=window or Window(),
        documents=made,
        used=allowed,
        passed=tuple(PassedRole(**{field.name: row[field.name] for field in fields(PassedRole)}) for row in roles),
        denied=denied,
        failed=as_logged(sorted_out["error"]),
        untold=untold,
        unsure=unsure(allowed, tried_too, untold, roles, len(made)),
        notes=notes(window or Window(), sources, free),
        data_sources=sources,
    )


def _known(calls: Iterable[Call], roles: Iterable[dict[str, Any]]) -> list[str]:
    """ARNs of IAM in the rows, sorted."""
    named = {text for call in calls for _, text in call.named} | {call.principal_arn for call in calls}
    return sorted(arn for arn in named | {row["role"] for row in roles} if _IAM_ARN.fullmatch(arn))


def _is_allowed(made: Iterable[dict[str, Any]], action: str, call: Call, services: Iterable[str | None]) -> bool:
    """Whether *made* would let a call through that was refused."""
    return any(
        allows(made, action, arn, passed_to=service)
        for arn in resources_of(action, call).arns
        for service in {None, *services}
    )


def _passes(passed: Iterable[dict[str, Any]]) -> dict[str | None, set[str]]:
    found: defaultdict[str | None, set[str]] = defaultdict(set)
    for row in passed:
        found[row["passed_to"]] |= _roles(row)
    return dict(found)


def _roles(row: dict[str, Any]) -> set[str]:
    """The role that was passed. Of an instance profile it is not known, so any role of the account may be in it."""
    partition = (re.match(r"arn:([a-z-]+):", row["principal_arn"] or "") or ["", "aws"])[1]
    roles = f"arn:{partition}:iam::{row['account_id'] or ANY}:role"
    if row["kind"] == "instance_profile":
        return {f"{roles}/*"}
    name = literal(row["role"])
    return {name} if row["role"].startswith("arn:") else {f"{roles}/{name}", f"{roles}/*/{name}"}
