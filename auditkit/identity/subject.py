"""What somebody asks about: recognised by its shape, else by what the logs hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any, Literal, get_args

from auditkit.errors import AmbiguousSubjectError, ParameterError, UnknownSubjectError
from auditkit.model import Ask, Value, Window

Kind = Literal[
    "principal", "session", "key", "address", "user_agent", "secret", "task", "service", "cluster", "instance"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

MANY = 100_000  # names that are looked through: more addresses of a network, or user agents, are not told apart
SUGGESTED = 3
SHORTEST_PART = 3  # characters of a user agent that are enough to find it by

# What no other kind of thing looks like. Keys may end in anything: AWS's documentation shortens them.
_SHAPES: tuple[tuple[str, Kind], ...] = (
    (r"arn:[^:]*:iam::\d*:(?:root|(?:user|role)/.+)", "principal"),
    (r"arn:[^:]*:sts::\d*:federated-user/.+", "principal"),
    (r"arn:[^:]*:sts::\d*:assumed-role/[^/]+/[^/]+", "session"),
    (r"arn:[^:]*:secretsmanager:[^:]*:\d*:secret:.+", "secret"),
    (r"arn:[^:]*:ecs:[^:]*:\d*:task/.+", "task"),
    (r"arn:[^:]*:ecs:[^:]*:\d*:service/.+", "service"),
    (r"arn:[^:]*:ecs:[^:]*:\d*:cluster/.+", "cluster"),
    (r"arn:[^:]*:ec2:[^:]*:\d*:instance/i-[0-9a-f]+", "instance"),
    (r"(?:AKIA|ASIA)[A-Z0-9]{12,}", "key"),
    (r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?", "instance"),
    (r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "task"),
)
_SECRET_ARN = re.compile(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:")
_SIX = re.compile(r"-[A-Za-z0-9]{6}$")  # what AWS adds to the name of a secret

_PARAMETERS: Mapping[Kind, str] = {
    "session": "sessions",
    "key": "keys",
    "address": "addresses",
    "user_agent": "user_agents",
    "secret": "secrets",
    "task": "workloads",
    "instance": "workloads",
    "service": "services",
    "cluster": "clusters",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an answer is about."""

    kind: Kind
    text: str  # as it was asked for
    name: str  # for people to read
    names: tuple[str, ...]  # as the logs have it, sorted: ARNs of principals, `ROLE_ARN/SESSION`, addresses, …

    def as_parameters(self) -> dict[str, Value]:
        """What `identity/activity_of` is to look for."""
        names: Value = list(self.names)
        if self.kind == "principal":
            return {"principals": names, "principal_names": sorted(set(map(short, self.names)))}
        return {_PARAMETERS[self.kind]: names}

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "name": self.name, "names": list(self.names)}


def short(arn: str) -> str:
    """The name at the end of an ARN: of a principal without its path, `root` of the root user. Other text is itself."""
    return re.split(r"[/:]", arn)[-1] if arn.startswith("arn:") else arn


def shape(text: str) -> Kind | None:
    """The kind that *text* has by its looks; None, when only the logs can tell."""
    for pattern, kind in _SHAPES:
        if re.fullmatch(pattern, text):
            return kind
    return "address" if _network(text) else None


def subject_of(text: str, ask: Ask, window: Window, *, kind: Kind | None = None) -> Subject:
    """What *text* names in the logs of *window*.

    Args:
        text: An ARN, an id, an address or a network; or the name of a principal, session (`ROLE/SESSION` too), secret,
            service or cluster; or a user agent, or a part of one.
        kind: What it is, where things of several kinds have that name.
    Raises: ParameterError, for what cannot be of that *kind*; UnknownSubjectError, with names that come near;
        AmbiguousSubjectError.
    """
    text = text.strip()
    if not text:
        raise ParameterError("Nobody was named. A subject is a principal, session, access key, address, secret, task …")
    sure = shape(text)
    if kind and sure and kind != sure and not (kind == "session" and sure in ("task", "instance")):
        raise ParameterError(f"{text!r} is no {words(kind)}, but looks like {an(words(sure))}.")
    wanted = kind or sure
    if wanted == "address":
        return _addresses(text, ask, window)
    rows = _rows(ask, window, text=_longest_name(text), kind=wanted)
    found = {one: fitting for one in KINDS if (fitting := _fitting(one, text, rows))}
    chosen = wanted if wanted in found else _chosen(text, found)
    if chosen is None:
        raise UnknownSubjectError(text, str(window), _close(text, rows, ask, window, wanted))
    return _subject(chosen, text, found[chosen])


def words(kind: Kind) -> str:
    return {"key": "access key", "user_agent": "user agent", "service": "ECS service", "task": "ECS task"}.get(
        kind, "ECS cluster" if kind == "cluster" else kind
    )


def an(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiouAEIOU' and not noun.startswith('user') else 'a'} {noun}"


def _subject(kind: Kind, text: str, rows: Sequence[Mapping[str, Any]]) -> Subject:
    if kind == "session":
        names = {f"{row['part_of']}/{row['name']}" for row in rows}
        name = rows[0]["name"]
    else:
        names = {row["name"] for row in rows}
        name = text if kind == "user_agent" else short(rows[0]["name"])
    return Subject(kind=kind, text=text, name=name, names=tuple(sorted(names)))


def _chosen(text: str, found: Mapping[Kind, Sequence[Mapping[str, Any]]]) -> Kind | None:
    """The kind meant, of those whose things have the name. Raises: AmbiguousSubjectError."""
    kinds = set(found)
    for implied, by in (
        ("session", "task"),
        ("session", "instance"),
        ("user_agent", "principal"),  # AWS services write their name there
    ):
        if {implied, by} <= kinds:
            kinds.discard(implied)
    if {"principal", "session"} <= kinds:
        roles = {row["name"] for row in found["principal"]}
        if {row["part_of"] for row in found["session"]} <= roles:  # a function's session often has its role's name
            kinds.discard("session")
    if "user_agent" in kinds and len(kinds) > 1 and text not in {row["name"] for row in found["user_agent"]}:
        kinds.discard("user_agent")  # a part of one says less than a whole name
    if len(kinds) > 1:
        raise AmbiguousSubjectError(text, [kind for kind in KINDS if kind in kinds])
    return kinds.pop() if kinds else None


def _fitting(kind: Kind, text: str, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of *rows* those of this *kind* that *text* names: exactly, else in other capitals."""
    of_kind = [row for row in rows if row["kind"] == kind]
    if kind == "user_agent":
        exact = [row for row in of_kind if row["name"] == text]
        return exact or [row for row in of_kind if len(text) >= SHORTEST_PART and text.lower() in row["name"].lower()]
    for form in (str, str.lower):
        wanted = {form(one) for one in _spellings(kind, text)}
        if fitting := [row for row in of_kind if wanted & {form(one) for one in _names(row)}]:
            return fitting
    return []


def _spellings(kind: Kind, text: str) -> list[str]:
    """What the logs may have for *text*, if it is of that kind."""
    if kind == "secret":
        name = _SECRET_ARN.sub("", text)
        return [name, _SIX.sub("", name)]
    if kind in ("task", "service", "cluster", "instance") and text.startswith("arn:"):
        return [text.rsplit("/", 1)[-1]]
    return [text]


def _names(row: Mapping[str, Any]) -> list[str]:
    """How a thing of the logs may be called."""
    name, part_of = row["name"], row["part_of"]
    if row["kind"] == "principal":
        return [name, short(name)]
    if row["kind"] == "session" and part_of:
        account = part_of.split(":")[4] if part_of.count(":") > 4 else ""
        partition = part_of.split(":")[1] if part_of.startswith("arn:") else "aws"
        whole = f"arn:{partition}:sts::{account}:assumed-role/{short(part_of)}/{name}"
        return [name, f"{short(part_of)}/{name}", whole]
    return [name]


def _longest_name(text: str) -> str | None:
    """The part of *text* that every name which it may mean has in it; None, when that cannot be told."""
    if text.startswith("arn:"):
        return _SIX.sub("", short(text)) if _SECRET_ARN.match(text) else short(text)
    last = text.rsplit("/", 1)[-1]  # of ROLE/SESSION the session; a secret or a user agent has it too
    return _SIX.sub("", last) or None


def _addresses(text: str, ask: Ask, window: Window) -> Subject:
    network = _network(text)
    if network is None:
        raise ParameterError(f"{text!r} is no address, such as 198.51.100.7, and no network, such as 198.51.100.0/24.")
    rows = _rows(ask, window, kind="address")
    found = sorted({row["name"] for row in rows if _lies_in(network, row["name"])})
    if not found:
        raise UnknownSubjectError(text, str(window), [])
    return Subject(kind="address", text=text, name=found[0] if "/" not in text else text, names=tuple(found))


def _lies_in(network: Any, address: str) -> bool:
    one = _network(address)
    return one is not None and one.version == network.version and one.subnet_of(network)


def _network(text: str) -> Any:
    """The network that *text* is; of an address, that of it alone. None for other text."""
    try:
        return ip_network(text, strict=False) if "/" in text else ip_network(ip_address(text))
    except ValueError:
        return None


def _rows(ask: Ask, window: Window, *, text: str | None = None, kind: Kind | None = None) -> list[dict[str, Any]]:
    asked: dict[str, Value] = {"text": text, "kind": kind, "limit": MANY}
    rows: list[dict[str, Any]] = ask("identity/subjects", asked, window=window).table.to_pylist()
    return rows


def _close(text: str, rows: Sequence[Mapping[str, Any]], ask: Ask, window: Window, kind: Kind | None) -> list[str]:
    """Names that come near *text*: those with it in them, else those spelled alike."""
    known = {short(row["name"]): None for row in rows if row["kind"] != "user_agent"}  # the busiest first
    if not known:
        known = {short(row["name"]): None for row in _rows(ask, window, kind=kind) if row["kind"] != "user_agent"}
    near = get_close_matches(short(text), known, n=SUGGESTED)
    return near or [name for name in known if text.lower() in name.lower()][:SUGGESTED]
