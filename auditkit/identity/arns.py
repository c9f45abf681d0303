"""On which ARNs a call needed its action: from what it named, and what the action can be granted on.

Everything a log names is text of a caller: it stands in a pattern as itself, never as a wildcard.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from auditkit.identity.actions import facts, has_alternatives, is_broad
from auditkit.identity.calls import Call
from auditkit.identity.patterns import literal, matches
from auditkit.identity.reference import ResourceType, resource_types

ANY = "*"
MOST_KINDS = 3  # alternatives that stand for a resource that is not known, before `*` says it as well

_EC2_ID = re.compile(r"([a-z]+)-[0-9a-f]+")
_QUEUE = re.compile(r"https://(?:sqs\.[a-z0-9-]+|[a-z0-9-]+\.queue)\.amazonaws\.com(?:\.cn)?/([0-9]{12})/([\w.-]+)")
_ECS_TARGET = re.compile(r"ecs:([A-Za-z0-9_-]+)_([0-9a-f]{32})_[A-Za-z0-9-]+")
_SUFFIXED = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True)
class Asked:
    """The resources that a statement for an action needs, and what of them is wider than what was called."""

    arns: frozenset[str]  # patterns of IAM
    wide: frozenset[str] = frozenset()  # of them, those that stand for what the log does not tell
    passing: frozenset[str] = frozenset()  # kinds of things that were named one by one, and are granted all


def resources_of(action: str, call: Call, known: Collection[str] = ()) -> Asked:
    """The resources on which *call* needed *action*. `*`, where the action takes no other, or none can be known.

    Args:
        known: ARNs of IAM that the logs hold: they tell the path of a name, which is one in its account.
    """
    kinds = resource_types(action)
    if not kinds or is_broad(action):
        return Asked(frozenset({ANY}))
    found: defaultdict[ResourceType, set[str]] = defaultdict(set)
    for arn in candidates(action, call, known):
        fitting = [kind for kind in kinds if kind.matches(arn)]
        if fitting:
            found[max(fitting, key=lambda kind: (kind.literal, kind.name))].add(arn)
    if not found and (own := _own_arn(action, call, kinds)):
        return Asked(frozenset({own}))
    place = {"partition": call.partition, "region": call.aws_region or "", "account": call.account_id or ""}
    missing = [kind for kind in kinds if kind.is_required and kind not in found]
    wide = {kind.any_of(**place) for kind in missing}
    if has_alternatives(action) and (found or len(wide) > MOST_KINDS):
        wide = set()
    if not found and not wide:
        wide = {ANY}
    exact, passing = set(), set()
    for arn in (arn for arns in found.values() for arn in arns):
        kept, what = _lasting(arn)
        exact.add(kept)
        if what:
            passing.add(what)
    return Asked(frozenset(exact | wide), frozenset(wide - exact), frozenset(passing))


def candidates(action: str, call: Call, known: Collection[str] = ()) -> Iterator[str]:
    """What *call* named, as ARNs, each a pattern that means itself."""
    prefix = action.partition(":")[0]
    named = [*call.named]
    if prefix == "ecs" and not any(by in ("clusterName", "clusters") for by, _ in named):
        named.append(("cluster", (call.cluster or "default").rpartition("/")[2]))  # ECS takes `default` for none
    for named_by, text in named:
        if text.startswith("arn:"):
            yield from _arn(text, prefix)
        else:
            yield from _with_path([*_from_name(named_by, text, prefix, call)], known)


def _arn(text: str, prefix: str) -> Iterator[str]:
    arn = literal(text)
    if prefix == "logs":  # `…:log-group:name:*` is how logs writes the ARN of a group itself
        arn = arn.removesuffix(":${*}")
        yield from (arn, *([f"{arn}:*", f"{arn}:log-stream:*"] if ":log-stream:" not in arn else []))
        return
    yield arn
    if prefix == "secretsmanager" and not _has_suffix(text):
        yield f"{arn}-??????"  # an ARN may be given without AWS's six characters


def _has_suffix(text: str) -> bool:
    """Whether an ARN of a secret surely ends in AWS's six characters: seldom does a word of six have a capital."""
    ending = _SUFFIXED.search(text)
    return bool(ending and re.search("[A-Z0-9]", ending[0]))


def _from_name(named_by: str, name: str, prefix: str, call: Call) -> Iterator[str]:
    known = facts()["names"].get(prefix, {})
    place = {
        "partition": call.partition,
        "region": call.aws_region or ANY,
        "account": call.account_id or ANY,
        "cluster": literal((call.cluster or "default").rpartition("/")[2]),
    }
    key = named_by
    if prefix == "ec2" and named_by in ("id", "denial") and (prefixed := _EC2_ID.fullmatch(name)):
        key = prefixed[1]
    if prefix == "sqs" and (queue := _QUEUE.fullmatch(name)):
        yield f"arn:{call.partition}:sqs:{place['region']}:{queue[1]}:{queue[2]}"
        return
    if prefix == "ssm" and key in ("name", "names", "path"):
        name = name.strip("/") if key == "path" else name.removeprefix("/")
    if prefix == "ssm" and key == "target" and (task := _ECS_TARGET.fullmatch(name)):
        yield f"arn:{call.partition}:ecs:{place['region']}:{place['account']}:task/{task[1]}/{task[2]}"
        return
    if prefix == "kms" and key in ("keyId", "targetKeyId") and name.startswith("alias/"):
        return  # which key an alias stood for is not told, and only a key can be granted
    if prefix == "ecs" and key == "taskDefinition":
        name = re.sub(r":[0-9]+$", "", name)
    if prefix == "lambda" and key == "functionName" and ":function:" in name:  # 111122223333:function:name
        name = name.rpartition(":function:")[2]
    if named_by == "denial" and key not in known:  # the text of a denial does not tell what kind of thing it names
        templates = sorted({template for listed in known.values() for template in listed})
    else:
        templates = known.get(key, [])
    if name:
        yield from (template.format(name=literal(name), **place) for template in templates)


def _with_path(patterns: list[str], known: Collection[str]) -> list[str]:
    """Of a name of IAM the one ARN that is known, in place of a pattern for every path."""
    return next(([arn] for arn in known if any(matches(pattern, arn) for pattern in patterns)), patterns)


def _own_arn(action: str, call: Call, kinds: Iterable[ResourceType]) -> str | None:
    """IAM takes the caller for the user that a request does not name."""
    own = action.startswith("iam:") and ":user/" in call.principal_arn and not call.named
    return literal(call.principal_arn) if own and any(kind.name == "user" for kind in kinds) else None


def _lasting(arn: str) -> tuple[str, str | None]:
    for pattern, to, what in _passing():
        wide, count = pattern.subn(to, arn)
        if count:
            return wide, what if wide != arn else None
    return arn, None


@cache
def _passing() -> list[tuple[re.Pattern[str], str, str]]:
    return [(re.compile(f"^{row['of']}$", re.DOTALL), row["to"], row["is"]) for row in facts()["passing"]]
