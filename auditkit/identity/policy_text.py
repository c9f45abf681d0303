"""A policy, and what is granted against it, for the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from auditkit.identity.documents import size
from auditkit.identity.granted import Details
from auditkit.identity.policy import Policy
from auditkit.identity.unused import STATES, ActionState, compare
from auditkit.identity.used import UsedAction
from auditkit.model import counted
from auditkit.output import as_json, as_table
from auditkit.report.clean import clean

_COLUMNS = ("action", "resources", "event_count", "first_seen", "last_seen", "event_id")
_SHOWN = 5  # resources of an action in the table, before the rest is counted


def in_style(policy: Policy, style: str, *, details: Details | None = None, with_policy: bool = True) -> str:
    """*policy* as `json` or as a `table`, which is what a person reads.

    Args:
        details: What an account grants; what it grants to these principals is compared with what they used.
        with_policy: Whether the documents are printed too; in JSON they always are.
    """
    states = {arn: compare(policy, details.granted_to(arn)) for arn in policy.principals} if details else {}
    if style == "json":
        compared = [
            {"principal_arn": arn, "actions": [one.as_json() for one in found]} for arn, found in states.items()
        ]
        return as_json(policy.as_json() | ({"granted": compared} if details else {}))
    parts = [policy_text(policy)] if with_policy else []
    parts += [f"GRANTED  {clean(arn)}\n\n{granted_text(found)}" for arn, found in states.items()]
    return "\n\n".join(parts)


def policy_text(policy: Policy, *, width: int | None = None) -> str:
    """Plain text: every document as JSON to be copied, then tables and sentences. Names are as logged, made harmless.

    Args:
        width: Columns of the terminal; None for a terminal without end.
    """
    used = counted(len(policy.used), "action")
    parts = [f"POLICY  {clean(', '.join(policy.principals))}\n{used} used in {policy.window}"]
    if not policy.documents:
        parts.append("No call of theirs went through that needs a permission, so there is nothing to allow.")
    for number, document in enumerate(policy.documents, start=1):
        of = f"Document {number} of {len(policy.documents)}, {size(document):,} characters"
        parts.append(f"{of}\n{json.dumps(document, indent=2)}")
    parts += _table("DENIED  refused, and not granted here", policy.denied, width)
    parts += _table("FAILED  for another reason than permission, and not granted here", policy.failed, width)
    if policy.unsure:
        parts.append("\n".join(["UNSURE", *(f"- {clean(text)}" for text in policy.unsure)]))
    parts.append("\n".join(["WHAT CLOUDTRAIL CANNOT TELL", *(f"- {clean(text)}" for text in policy.notes)]))
    return "\n\n".join(parts)


def granted_text(states: Sequence[ActionState], *, width: int | None = None) -> str:
    """Plain text: what `unused.compare` found, a table a state, and below each what cannot be judged."""
    if not states:
        return "GRANTED  nothing, and nothing was used"
    parts = []
    for state in STATES:
        found = [one for one in states if one.state == state]
        if not found:
            continue
        rows = [
            {"action": one.action, "policies": one.policies, "used": ", ".join(one.used), "unused": _few(one.unused)}
            | {"actions": one.count, "event_id": one.event_id}
            for one in found
        ]
        columns = ("action", "policies", "actions", "used", "unused", "event_id")
        said: dict[str, list[str]] = {}
        for one in found:
            for text in one.caveats:
                said.setdefault(text, []).append(one.action)
        caveats = [clean(f"- {', '.join(actions)}: {text}") for text, actions in said.items()]
        parts.append("\n".join([state.upper(), as_table(columns, rows, width=width), *caveats]))
    return "\n\n".join(parts)


def _table(title: str, actions: Sequence[UsedAction], width: int | None) -> list[str]:
    if not actions:
        return []
    rows = [one.as_json() | {"resources": _few(one.resources)} for one in actions]
    return [f"{title}\n{as_table(_COLUMNS, rows, width=width)}"]


def _few(resources: Sequence[str]) -> str:
    more = len(resources) - _SHOWN
    return ", ".join(resources[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
