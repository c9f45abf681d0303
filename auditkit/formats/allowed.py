"""A finding that somebody answers for, as the formats tell it."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from auditkit.model import Finding


class Answer(Protocol):
    """Why a finding is accepted, by whom, and until which day."""

    @property
    def reason(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def expires(self) -> date: ...


class Allowed(Protocol):
    """A suppressed finding, and the entry of an allowlist that answers for it."""

    @property
    def finding(self) -> Finding: ...
    @property
    def entry(self) -> Answer: ...


def justification(allowed: Allowed) -> str:
    """`Break-glass drill (owner security@example.com, until 2026-12-31)`."""
    entry = allowed.entry
    return f"{entry.reason.rstrip('.')} (owner {entry.owner}, until {entry.expires.isoformat()})"
