"""Findings as tests need them: what a test is about is given, all else is as usual."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from auditkit.model import Finding

NIGHT = datetime(2026, 11, 3, 2, tzinfo=UTC)


def made(*, at: float = 0, lasting: float = 0, source_ips: Iterable[str] = ("192.0.2.10",), **given: Any) -> Finding:
    """A finding that begins *at* minutes past 02:00 and lasts so many minutes. Its id follows from what it is about."""
    first = NIGHT + timedelta(minutes=at)
    usual: dict[str, Any] = {
        "rule": "iam.user_created",
        "title": "IAM user created",
        "severity": "medium",
        "outcome": "ok",
        "principal_arn": "arn:aws:iam::111122223333:user/alice",
        "account_id": "111122223333",
        "resource": None,
        "first_seen": first,
        "last_seen": first + timedelta(minutes=lasting),
        "event_count": 1,
        "failed_count": 0,
        "summary": "Somebody did something.",
        "why": "because",
        "response": "look",
        "false_positives": "some",
        "blind_spots": "others",
        "attack": (),
        "pci": (),
        "cis": (),
        "sql": "SELECT 1",
        **given,
    }
    about = [usual["rule"], usual["principal_arn"], usual["account_id"], usual["resource"]]
    usual.setdefault("id", hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16])
    usual.setdefault("evidence", (f"e-{usual['id']}",))
    return Finding(source_ips=tuple(source_ips), **usual)
