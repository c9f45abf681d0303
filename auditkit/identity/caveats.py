"""What a policy made from CloudTrail leaves open, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from auditkit.identity.actions import facts
from auditkit.identity.arns import ANY
from auditkit.identity.reference import resource_types, version
from auditkit.identity.used import UsedAction
from auditkit.model import Window, counted

MOST_POLICIES = 10  # managed policies that a principal can have, unless AWS was asked for more
NAMED = 5  # things that a sentence names before it counts the rest


def unsure(
    used: Sequence[UsedAction],
    tried_too: Sequence[UsedAction],
    untold: Sequence[UsedAction],
    passed: Iterable[Mapping[str, Any]],
    document_count: int,
) -> tuple[str, ...]:
    """What is wider, narrower or less sure in some documents than in the calls, worst first.

    Args:
        used: What they grant.
        tried_too: Of what was refused, that which they grant nonetheless.
        untold: Calls whose action is not known.
        passed: Rows of `identity/passed_roles`.
    """
    texts = [
        f"{one.action} was refused on {_some(one.resources)}, and these documents would allow it there: it went "
        "through at another time, or is granted on more than was used."
        for one in tried_too
    ]
    texts += _untold(untold) + _guessed(used) + _anywhere(used) + _wide(used) + _passing(used) + _passed(list(passed))
    texts += _on_behalf(used) + _beside(used)
    if document_count > MOST_POLICIES:
        texts.append(f"They are {document_count} documents. A principal has at most {MOST_POLICIES} managed policies.")
    return tuple(texts)


def notes(window: Window, data: Collection[str], free: Collection[str]) -> tuple[str, ...]:
    """What CloudTrail does not know of any principal.

    Args:
        data: Event sources of which the logs hold data events.
        free: Names of calls that need no permission.
    """
    services = ", ".join(source.removesuffix(".amazonaws.com") for source in sorted(data))
    reads = "reads and writes of S3 objects, Lambda invocations, items of DynamoDB, messages of SQS and SNS"
    silent = ", ".join(name for name in facts()["silent"]["actions"] if not name.startswith("iam:"))
    texts = [
        f"It is what was used in {window}: what runs once a month, or only in an emergency, may be missing.",
        f"The logs hold data events of {services}, for the resources that a trail was told to record. Others leave no "
        f"event, and are missing: {reads}."
        if data
        else f"The logs hold no data events. These leave no other trace, and are missing: {reads}.",
        f"CloudTrail has no event for some permissions, which are missing too: {silent}.",
    ]
    if free:
        texts.append(f"No permission is needed for {_some(sorted(free))}.")
    return (
        *texts,
        "A call may have been let through by a policy of the resource, and not of the principal; by a session policy, "
        "a boundary or an organization's policy it may have been held back. None of these is in the logs.",
        "Conditions are not in the logs either. The only one written here is iam:PassedToService.",
        f"Which action takes which resource is what AWS's reference said in {version()}.",
    )


def _untold(untold: Iterable[UsedAction]) -> list[str]:
    return [
        f"{one.action} went through {counted(one.event_count, 'time')}, and the event does not tell which action that "
        "needs: it is missing."
        for one in untold
    ]


def _guessed(used: Iterable[UsedAction]) -> list[str]:
    names = [one.action for one in used if one.certainty == "guessed"]
    text = f"AWS's reference has no such action, so this is a guess from the event's name: {_all(names)}."
    return [text] if names else []


def _anywhere(used: Iterable[UsedAction]) -> list[str]:
    names = [one.action for one in used if one.resources == (ANY,) and resource_types(one.action)]
    text = f"On `*`, because no event names the resource, or AWS takes no other in common use: {_all(names)}."
    return [text] if names else []


def _wide(used: Iterable[UsedAction]) -> list[str]:
    return [
        f"{one.action} is granted on {_some(named)}, because some events do not name which."
        for one in used
        if (named := [arn for arn in one.wide if arn != ANY])
    ]


def _passing(used: Iterable[UsedAction]) -> list[str]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in used:
        for what in one.passing:
            found[what].append(one.action)
    return [
        f"Granted on all {what}, and not only on those that were named: {_all(names)}."
        for what, names in sorted(found.items())
    ]


def _passed(passed: Sequence[Mapping[str, Any]]) -> list[str]:
    profiles = sorted({row["role"] for row in passed if row["kind"] == "instance_profile"})
    unplaced = sorted({row["role"] for row in passed if row["passed_to"] is None})
    texts = []
    if profiles:
        texts.append(
            f"iam:PassRole is granted on every role of the account for EC2, because the events name the instance "
            f"profile {_some(profiles)}, and not the role in it. Write that role instead."
        )
    if unplaced:
        texts.append(
            f"iam:PassRole is granted without iam:PassedToService on {_some(unplaced)}: which service got it is not "
            "sure."
        )
    return texts


def _on_behalf(used: Iterable[UsedAction]) -> list[str]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in used:
        for service in one.invoked_by:
            found[service].append(one.action)
    return [
        f"{service} called {_all(names)} on the principal's behalf, which needs the principal's own permission."
        for service, names in sorted(found.items())
    ]


def _beside(used: Sequence[UsedAction]) -> list[str]:
    granted = {one.action for one in used}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in used:
        for other in facts()["beside"].get(one.action, ()):
            if other not in granted:
                found[other].append(one.action)
    return [
        f"{_all(names)} may also need {other}: with a key of one's own, with tags, or the first time."
        for other, names in sorted(found.items())
    ]


def _all(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    told = ", ".join(names[:NAMED]) or "a resource that the event does not name"
    return f"{told} and {more:,} more" if more > 0 else told
