"""What a subject did, from the rows of `identity/activity_of`: by service, what was denied, from where, the secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditkit.identity.hops import Identity

Row = dict[str, Any]
LISTED = 10  # distinct values that a row lists before it counts the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much one identity did of what is asked about. Times are aware UTC."""

    identity: Identity
    event_count: int
    denied_count: int
    first_seen: datetime
    last_seen: datetime
    source_ips: tuple[str, ...]  # sorted


@dataclass(frozen=True, slots=True)
class Activity:
    """The rows of `identity/activity_of`; what the subject called, and what others called about it."""

    by: Sequence[Row]
    about: Sequence[Row]
    main: Sequence[Row]  # what the subject called; of a thing that calls nothing, such as a secret, the deeds about it

    @classmethod
    def of(cls, rows: Iterable[Row], is_deed: Callable[[Row], bool]) -> Activity:
        """From rows as they come.

        Args:
            is_deed: Which of the calls about a thing say who is behind it; where none does, all of them do.
        """
        aware = [row | {name: row[name].replace(tzinfo=UTC) for name in ("first_seen", "last_seen")} for row in rows]
        by = [row for row in aware if row["relation"] == "by"]
        about = [row for row in aware if row["relation"] == "about"]
        return cls(by, about, by or [row for row in about if is_deed(row)] or about)

    @property
    def event_count(self) -> int:
        return sum(row["event_count"] for row in self.main)

    @property
    def evidence(self) -> set[str]:
        """Of the event ids that were asked about, those of the subject."""
        return {key for row in (*self.by, *self.about) if row["evidence"] for key in row["evidence"].split(",")}

    def uses(self) -> list[Use]:
        """The identities behind the main rows, the most active first."""
        groups: dict[Identity, list[Row]] = {}
        for row in self.main:
            groups.setdefault(identity_of(row), []).append(row)
        uses = [
            Use(
                identity=identity,
                event_count=sum(row["event_count"] for row in rows),
                denied_count=_count(rows, "denied"),
                first_seen=min(row["first_seen"] for row in rows),
                last_seen=max(row["last_seen"] for row in rows),
                source_ips=tuple(sorted({row["source_ip"] for row in rows if row["source_ip"]})),
            )
            for identity, rows in groups.items()
        ]
        return sorted(uses, key=lambda use: (-use.event_count, use.first_seen, str(use.identity)))

    def by_service(self) -> list[Row]:
        return grouped(self.main, ("service",), ("event_name", "resource_arn"))

    def denials(self) -> list[Row]:
        denied = [row for row in self.main if row["outcome"] == "denied"]
        named = ("service", "event_name", "resource_arn", "error_code", "principal_arn", "session_name")
        return grouped(denied, named, ("source_ip",), first=("error_message",))

    def addresses(self) -> list[Row]:
        return grouped(self.main, ("source_ip",), ("principal_arn",))

    def user_agents(self) -> list[Row]:
        return grouped(self.main, ("user_agent",), ("source_ip",))

    def secrets(self) -> list[Row]:
        """The secrets that were read, or otherwise worked on, each with who did."""
        return grouped([row for row in self.main if row["secret"]], ("secret",), ("event_name", "principal_arn"))

    def done_to(self) -> list[Row]:
        """What others called about the subject, beyond what the other lists are about."""
        counted = {id(row) for row in self.main}
        named = ("service", "event_name", "resource_arn", "outcome", "principal_arn", "session_name", "access_key_id")
        return grouped([row for row in self.about if id(row) not in counted], named, ("source_ip",))


def identity_of(row: Mapping[str, Any]) -> Identity:
    return Identity(
        principal_arn=row["principal_arn"],
        session_name=row["session_name"],
        access_key_id=row["access_key_id"],
        account_id=row["principal_account"],
        identity_type=row["identity_type"],
    )


def grouped(
    rows: Iterable[Row], names: tuple[str, ...], lists: tuple[str, ...] = (), *, first: tuple[str, ...] = ()
) -> list[Row]:
    """*rows* summed up by *names*: counts, first and last time, and the proof event of the earliest; most events first.

    Args:
        lists: Columns whose distinct values are listed, sorted, as `NAMEs`; beyond the first few they are counted.
        first: Columns of which the earliest row's value is kept.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return sorted(
        (_summed(names, values, group, lists, first) for values, group in groups.items()), key=_busiest(names)
    )


def _summed(
    names: tuple[str, ...], values: tuple[Any, ...], rows: list[Row], lists: tuple[str, ...], first: tuple[str, ...]
) -> Row:
    earliest = min(rows, key=lambda row: (row["first_seen"], row["event_id"]))
    summed = dict(zip(names, values, strict=True)) | {
        "event_count": sum(row["event_count"] for row in rows),
        "denied_count": _count(rows, "denied"),
        "error_count": _count(rows, "error"),
        "first_seen": earliest["first_seen"],
        "last_seen": max(row["last_seen"] for row in rows),
        "event_id": earliest["event_id"],
    }
    for name in lists:
        summed[f"{name}s"] = some(row[name] for row in rows)
    return summed | {name: earliest[name] for name in first}


def some(values: Iterable[str | None]) -> list[str]:
    """The distinct *values*, sorted; beyond the first few, how many more there are."""
    found = sorted({value for value in values if value})
    return found if len(found) <= LISTED else [*found[:LISTED], f"and {len(found) - LISTED:,} more"]


def _count(rows: Iterable[Row], outcome: str) -> int:
    return sum(row["event_count"] for row in rows if row["outcome"] == outcome)


def _busiest(names: tuple[str, ...]) -> Any:
    return lambda row: (-row["event_count"], row["first_seen"], *(str(row[name]) for name in names))
