"""What is granted against what was used: four states, and what in each of them cannot be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from auditkit.identity.actions import facts, is_data, is_silent
from auditkit.identity.granted import Grant, Granted
from auditkit.identity.patterns import matches
from auditkit.identity.policy import Policy
from auditkit.identity.reference import actions_of_service, services
from auditkit.model import counted

State = Literal["used", "unused", "unknown", "used but not granted"]
STATES: tuple[State, ...] = ("used but not granted", "unused", "unknown", "used")

MANY = 400  # actions of a pattern, after which they are counted and not listed


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionState:
    """One action pattern of a principal's policies, as it is written there; or an action that none of them allows."""

    action: str  # ecs:*; ecs:RunTask
    state: State  # used: at least one of its actions
    policies: tuple[str, ...] = ()  # that allow it, and where they hang
    used: tuple[str, ...] = ()  # its actions that were used, sorted
    unused: tuple[str, ...] = ()  # its other actions, of which the logs would tell; none where it has too many
    unknown: tuple[str, ...] = ()  # its other actions, of which they would not; none where it has too many
    count: int = 1  # actions that it has
    event_id: str | None = None  # one that proves the use
    caveats: tuple[str, ...] = ()  # sentences: what cannot be judged, and why

    def as_json(self) -> dict[str, Any]:
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}


def compare(policy: Policy, granted: Granted) -> list[ActionState]:
    """Every action pattern that *granted* allows, and every action of *policy* that it does not, by state and name.

    Only actions are compared. What a Deny, a Condition, a NotAction or a boundary makes of a grant is not guessed: the
    state says what was used, and `caveats` that more cannot be judged.
    """
    evidence = _Evidence(policy)
    allowed = [grant for grant in granted.grants if grant.effect == "Allow"]
    denies = [grant for grant in granted.grants if grant.effect == "Deny"]
    patterns = sorted({text for grant in allowed if not grant.is_inverted for text in grant.actions})
    states = [
        _state(pattern, [g for g in allowed if not g.is_inverted and pattern in g.actions], denies, granted, evidence)
        for pattern in patterns
    ]
    states += [_inverted(grant, evidence) for grant in allowed if grant.is_inverted]
    states += [
        _not_granted(action, granted, denies, evidence)
        for action in sorted(evidence.proofs)
        if not any(grant.speaks_of(action) for grant in allowed)
    ]
    return sorted(states, key=lambda one: (STATES.index(one.state), one.action, one.policies))


class _Evidence:
    """What the logs tell of single actions."""

    def __init__(self, policy: Policy) -> None:
        self.proofs = {one.action: one.event_id for one in policy.used}
        if policy.passed:
            self.proofs["iam:PassRole"] = min(one.event_id for one in policy.passed)
        self.denied = {one.action for one in policy.denied}
        self.failed = {one.action for one in policy.failed} - self.proofs.keys()
        self.logged = {_prefix(source) for source in policy.data_sources}
        self.untold = {_prefix(one.action.partition(":")[0]) for one in policy.untold}

    def is_told(self, action: str) -> bool:
        """Whether the logs would have an event of *action*."""
        prefix = action.partition(":")[0]
        if is_silent(action) or prefix in self.untold or "*" in facts()["untold"].get(prefix, ()):
            return False
        return not is_data(action) or prefix in self.logged


def _prefix(source: str) -> str:
    service = source.removesuffix(".amazonaws.com")
    return str(facts()["prefixes"].get(service, service))


def _expanded(pattern: str) -> list[str]:
    """The actions that AWS has and *pattern* means; itself, where it is one that the reference lacks."""
    prefix, _, _ = pattern.partition(":")
    if any(mark in prefix for mark in "*?"):
        named: Iterable[str] = (name for name in sorted(services()) if matches(prefix, name, ignore_case=True))
        if pattern == "*":
            named = sorted(services())
    else:
        named = [prefix.lower()]
    found = [
        action
        for name in named
        for action in actions_of_service(name)
        if pattern == "*" or matches(pattern, action, ignore_case=True)
    ]
    return found or ([] if any(mark in pattern for mark in "*?") else [pattern])


def _state(
    pattern: str, grants: Sequence[Grant], denies: Sequence[Grant], granted: Granted, evidence: _Evidence
) -> ActionState:
    actions = _expanded(pattern)
    used = sorted(action for action in evidence.proofs if pattern == "*" or matches(pattern, action, ignore_case=True))
    failed = [action for action in actions if action in evidence.failed]
    others = [action for action in actions if action not in evidence.proofs and action not in evidence.failed]
    unknown = [action for action in others if not evidence.is_told(action)]
    unused = [action for action in others if evidence.is_told(action)]
    state: State = "used" if used else "unknown" if unknown or failed or not actions else "unused"
    listed = len(actions) <= MANY
    return ActionState(
        action=pattern,
        state=state,
        policies=tuple(sorted({grant.policy for grant in grants})),
        used=tuple(used),
        unused=tuple(unused) if listed else (),
        unknown=tuple(unknown) if listed else (),
        count=len(actions),
        event_id=min((evidence.proofs[action] for action in used), default=None),
        caveats=tuple(_caveats(actions, used, unknown, grants, denies, granted, evidence)),
    )


def _caveats(
    actions: Sequence[str],
    used: Sequence[str],
    unknown: Sequence[str],
    grants: Sequence[Grant],
    denies: Sequence[Grant],
    granted: Granted,
    evidence: _Evidence,
) -> Iterable[str]:
    if not actions:
        yield "AWS's reference has no action that this pattern means: it may be new, retired or misspelt."
    if used and len(used) < len(actions):
        yield f"Used in part: {len(used):,} of {counted(len(actions), 'action')}."
    if unknown:
        yield (
            f"Of {counted(len(unknown), 'action')} of it the logs would not tell: CloudTrail has no event, or no data "
            "events of the service are among the logs."
        )
    if failed := sorted(evidence.failed.intersection(actions)):
        yield f"Called, but every call failed for another reason than permission: {', '.join(failed)}."
    if any(grant.is_conditional for grant in grants):
        yield "Granted under a condition, or by NotResource: when it lets a call through cannot be judged here."
    named = sorted({deny.policy for deny in denies if any(map(deny.speaks_of, actions))})
    if named:
        yield f"A Deny in {', '.join(named)} speaks of it too: what of it is granted at all cannot be judged here."
    if granted.boundary is not None and not all(_lets_through(granted.boundary, action) for action in actions):
        yield "The permissions boundary does not let all of it through: what of it is granted cannot be judged here."
    refused = sorted(evidence.denied.intersection(actions))
    if refused:
        yield (
            f"Refused although it is granted: {', '.join(refused)}. The grant may be on other resources, or a Deny, a "
            "boundary, a session policy or an organization's policy held it back."
        )


def _lets_through(boundary: Iterable[Grant], action: str) -> bool:
    about = [grant for grant in boundary if grant.speaks_of(action)]
    return any(grant.effect == "Allow" for grant in about) and not any(grant.effect == "Deny" for grant in about)


def _inverted(grant: Grant, evidence: _Evidence) -> ActionState:
    used = sorted(filter(grant.speaks_of, evidence.proofs))
    return ActionState(
        action=f"all but {', '.join(grant.actions)}",
        state="used" if used else "unknown",
        policies=(grant.policy,),
        used=tuple(used),
        count=0,
        event_id=min((evidence.proofs[action] for action in used), default=None),
        caveats=("Granted by NotAction, every action there is but these: what of it is unused cannot be judged here.",),
    )


def _not_granted(action: str, granted: Granted, denies: Sequence[Grant], evidence: _Evidence) -> ActionState:
    texts = [
        "None of the policies in the export allows it. A policy of the resource may, the grant may be gone since, or "
        "the action is another one than the event's name says.",
        *(f"{name} is not in the export, and may allow it." for name in granted.missing),
    ]
    if any(deny.speaks_of(action) for deny in denies):
        texts.append("A Deny speaks of it, too.")
    if granted.boundary is not None and not _lets_through(granted.boundary, action):
        texts.append("The permissions boundary does not let it through, either.")
    return ActionState(
        action=action,
        state="used but not granted",
        used=(action,),
        event_id=evidence.proofs[action] or None,
        caveats=tuple(texts),
    )
