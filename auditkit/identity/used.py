"""Calls by the action they needed: what is granted of them, or what was asked where they did not go through."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from auditkit.identity.actions import Certainty, actions_of
from auditkit.identity.arns import ANY, resources_of
from auditkit.identity.calls import Call
from auditkit.model import iso

MANY = 20  # objects of one bucket, after which their folder is granted


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAction:
    """One action of a principal, and on what. Times are aware UTC."""

    action: str  # ecs:RunTask; for a denial what was refused, which need not be what was called
    resources: tuple[str, ...]  # patterns of IAM where the calls went through; as logged where they did not
    event_names: tuple[str, ...]
    event_count: int
    first_seen: datetime
    last_seen: datetime
    event_id: str  # one that proves it: the smallest
    certainty: Certainty = "known"
    invoked_by: tuple[str, ...] = ()  # services that called on the principal's behalf
    wide: tuple[str, ...] = ()  # of the resources, those that stand for what the log does not tell
    passing: tuple[str, ...] = ()  # kinds of things that were named one by one, and are granted all

    def as_json(self) -> dict[str, Any]:
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        record |= {"first_seen": iso(self.first_seen), "last_seen": iso(self.last_seen)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedRole:
    """A role that was handed to a service. Times are aware UTC."""

    role: str  # its ARN or name; of an instance profile, the profile's
    kind: str  # role or instance_profile
    passed_to: str | None  # ecs-tasks.amazonaws.com
    event_names: str  # sorted, with commas
    event_count: int
    event_id: str  # one that proves it: the smallest


def granted(pairs: Iterable[tuple[str, Call]], known: Sequence[str]) -> tuple[UsedAction, ...]:
    """Each action with the resources that its calls needed it on, by name.

    Args:
        pairs: An action and a call that needed it.
        known: ARNs of IAM that the logs hold.
    """
    return tuple(_granted(action, calls, known) for action, calls in _by_action(pairs))


def _granted(action: str, calls: Sequence[Call], known: Sequence[str]) -> UsedAction:
    asked = [resources_of(action, call, known) for call in calls]
    arns = frozenset[str]().union(*(one.arns for one in asked))
    passing = frozenset[str]().union(*(one.passing for one in asked))
    if ANY in arns:
        kept, folders = frozenset({ANY}), frozenset[str]()
    else:
        kept, folders = _by_folder(arns)
    return _told(
        action,
        calls,
        kept,
        certainty=actions_of(calls[0].event_source, calls[0].event_name).certainty,
        wide=tuple(sorted(frozenset[str]().union(*(one.wide for one in asked)) & kept)),
        passing=tuple(sorted(passing | folders)),
    )


def as_logged(pairs: Iterable[tuple[str, Call]]) -> tuple[UsedAction, ...]:
    """Each action with what its calls named, in the words of the log, by name."""
    return tuple(
        _told(action, calls, {name for call in calls for _, name in call.named}) for action, calls in _by_action(pairs)
    )


def _by_action(pairs: Iterable[tuple[str, Call]]) -> list[tuple[str, list[Call]]]:
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for action, call in pairs:
        found[action].append(call)
    return sorted(found.items())


def _told(action: str, calls: Sequence[Call], resources: Iterable[str], **more: Any) -> UsedAction:
    return UsedAction(
        action=action,
        resources=tuple(sorted(resources)),
        event_names=tuple(sorted({call.event_name for call in calls})),
        event_count=sum(call.event_count for call in calls),
        first_seen=min(call.first_seen for call in calls),
        last_seen=max(call.last_seen for call in calls),
        event_id=min(call.event_id for call in calls),
        invoked_by=tuple(sorted({call.invoked_by for call in calls if call.invoked_by})),
        **more,
    )


def _by_folder(arns: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Objects of a bucket by their folder, or all of it, where they are many; and what was made wider by that."""
    objects: defaultdict[str, set[str]] = defaultdict(set)
    for arn in arns:
        if match := re.match(r"arn:[^:]*:s3:::[^/]+/", arn):
            objects[match[0]].add(arn)
    kept, wider = set(arns), set()
    for bucket, found in objects.items():
        if len(found) > MANY:
            folders = {f"{arn.rpartition('/')[0]}/*" for arn in found}
            kept = kept - found | (folders if len(folders) <= MANY else {f"{bucket}*"})
            wider.add(f"objects of the bucket {bucket.split(':')[-1].rstrip('/')}")
    return frozenset(kept), frozenset(wider)
