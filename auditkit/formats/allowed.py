"""Who answers for a suppressed finding, as the formats tell it."""

from __future__ import annotations

from auditkit.allowlist import Suppressed


def justification(suppressed: Suppressed) -> str:
    """`The yearly break-glass drill. (Owner: security@example.com, until 2026-12-31.)`"""
    entry = suppressed.entry
    return f"{entry.reason} (Owner: {entry.owner}, until {entry.expires.isoformat()}.)"
