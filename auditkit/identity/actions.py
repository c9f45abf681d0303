"""What a CloudTrail event needs permission for: the IAM actions of a call, from data in actions.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from auditkit.identity import reference

FILE = Path(__file__).with_name("actions.toml")

Certainty = Literal[
    "known",  # the mapping says so, or there is an action of that name
    "guessed",  # `prefix:EventName`, which is no action that AWS's reference knows
    "free",  # the call needs no permission
    "untold",  # the event does not tell which action it was
]

# Lambda and CloudFront put the date of an API's version behind the name of a call.
_VERSION = re.compile(r"(_?20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9]+)?)$")
# The letters that a policy takes; what a log holds may be anything.
_ACTION = re.compile(r"[a-z0-9-]{1,63}:[A-Za-z0-9]{1,128}")


@dataclass(frozen=True, slots=True)
class Needed:
    """What a call needs permission for."""

    actions: tuple[str, ...]  # `ecs:RunTask`, as AWS writes it; all of them are needed
    certainty: Certainty
    why: str | None = None  # where the event does not tell


@lru_cache(maxsize=4096)
def actions_of(event_source: str | None, event_name: str | None) -> Needed:
    """The IAM actions that a call of *event_name* at *event_source* (`ecs.amazonaws.com`) needs.

    Source: Service Authorization Reference, by way of `reference`; exceptions by way of actions.toml.
    """
    source, name = (event_source or "").lower(), event_name or ""
    service = re.sub(r"\.amazonaws\.(com(\.cn)?|eu)$", "", source)
    prefix = facts()["prefixes"].get(service, service)
    name = _VERSION.sub("", name)
    if name in facts()["free"].get(service, ()):
        return Needed((), "free")
    untold = facts()["untold"].get(service, {})
    if why := untold.get(name) or untold.get("*"):
        return Needed((), "untold", why)
    if mapped := facts()["events"].get(service, {}).get(name) or facts()["events"].get(prefix, {}).get(name):
        return Needed(tuple(mapped), "known")
    action = f"{prefix}:{name}"
    if known := reference.spelled(action):
        return Needed((known,), "known")
    if not _ACTION.fullmatch(action):
        return Needed((), "untold", "its service or name is no name that a policy takes")
    return Needed((action,), "guessed")


def is_action(text: str) -> bool:
    """Whether *text* may stand in a policy as one action, without wildcards."""
    return bool(_ACTION.fullmatch(text))


def is_data(action: str) -> bool:
    """Whether *action* is logged only where a trail records data events of that kind."""
    return bool(_patterns("data").fullmatch(action))


def is_silent(action: str) -> bool:
    """Whether CloudTrail has no event for *action* at all."""
    return bool(_patterns("silent").fullmatch(action))


def is_broad(action: str) -> bool:
    """Whether *action* has to be granted on `*`, whatever the call named."""
    return bool(_patterns("broad").fullmatch(action))


def has_alternatives(action: str) -> bool:
    """Whether one of the resources that *action* requires is enough."""
    return bool(_patterns("alternatives").fullmatch(action))


@cache
def facts() -> dict[str, Any]:
    """actions.toml as it is written."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def _patterns(section: str) -> re.Pattern[str]:
    listed = facts()[section]["actions"]
    return re.compile("|".join(re.escape(text).replace(r"\*", ".*") for text in listed), re.IGNORECASE)
