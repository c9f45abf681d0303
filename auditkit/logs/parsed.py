"""What a reader hands on: the rows of one file, and the records that could not become rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from auditkit.errors import AuditkitError

Rows = TypeVar("Rows")
KEPT_TEXT = 64 * 1024  # bytes of a record that could not be kept: enough to see what it is


class NotALogError(AuditkitError):
    """The file is whole, but holds no events or flow records: it is named in the ledger and passed over."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be kept: where it stands in the file (from 0), why, and its text."""

    position: int
    reason: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Rows]):
    """One file's rows. Every record of the file is counted in *seen*, and is a row, a bad record, or set apart.

    Set apart is what auditkit knows and does not keep: Transit Gateway flow records, aggregated events.
    """

    rows: Rows
    seen: int
    bad: list[BadRecord] = field(default_factory=list)
    set_apart: int = 0
