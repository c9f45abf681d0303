"""What principals called, as `identity/used_actions` tells it, a call and all it named in one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from auditkit.model import Outcome

# What tells one group of calls from another, in the order of the rows.
_OF_A_GROUP = (
    "principal_arn", "event_source", "event_name", "outcome", "denied_action", "invoked_by", "account_id", "aws_region",
    "event_category", "cluster", "event_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Calls that are alike: of one principal, with one outcome, on the same things. Times are aware UTC."""

    principal_arn: str
    event_source: str
    event_name: str
    outcome: Outcome
    denied_action: str | None  # what was refused, in the words of the denial
    invoked_by: str | None
    account_id: str | None
    aws_region: str | None
    event_category: str
    cluster: str | None
    named: tuple[tuple[str, str], ...]  # where something was named, and what: ("secretId", "prod/db")
    event_count: int
    first_seen: datetime
    last_seen: datetime
    event_id: str  # one that proves it

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, …, as the principal's ARN says."""
        parts = self.principal_arn.split(":")
        return parts[1] if len(parts) > 2 and parts[0] == "arn" else "aws"


def calls_of(used: pa.Table) -> list[Call]:
    """The calls of the rows of `identity/used_actions`, in their order."""
    rows = used.to_pylist()
    return [_call(list(group)) for _, group in groupby(rows, key=lambda row: tuple(row[name] for name in _OF_A_GROUP))]


def _call(rows: list[dict[str, Any]]) -> Call:
    first = rows[0]
    return Call(
        **{name: first[name] for name in _OF_A_GROUP},
        named=tuple((row["named_by"], row["resource"]) for row in rows if row["named_by"] and row["resource"]),
        event_count=first["event_count"],
        first_seen=first["first_seen"].replace(tzinfo=UTC),
        last_seen=first["last_seen"].replace(tzinfo=UTC),
    )
