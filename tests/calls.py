"""Rows of `identity/used_actions` and `identity/passed_roles`, and IAM's own way of judging, written apart from ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
_TEXTS = (
    "principal_arn", "account_id", "aws_region", "event_source", "event_name", "event_category", "outcome", "denied_action",
    "invoked_by", "cluster", "named_by", "resource",
)  # fmt: skip
USED = pa.schema(
    [(name, pa.string()) for name in _TEXTS]
    + [
        ("event_count", pa.int64()),
        ("first_seen", pa.timestamp("us")),
        ("last_seen", pa.timestamp("us")),
        ("event_id", pa.string()),
    ]
)
PASSED = pa.schema(
    [(name, pa.string()) for name in ("principal_arn", "account_id", "kind", "role", "passed_to", "event_names")]
    + [
        ("event_count", pa.int64()),
        ("first_seen", pa.timestamp("us")),
        ("last_seen", pa.timestamp("us")),
        ("event_id", pa.string()),
    ]
)


def call(event: str, *named: tuple[str, str], **more: Any) -> list[dict[str, Any]]:
    """The rows of one group of calls, `secretsmanager:GetSecretValue`, and what it named."""
    service, _, name = event.partition(":")
    moment = datetime(2026, 11, 2, 9)
    row = {
        "principal_arn": ROLE, "account_id": ACCOUNT, "aws_region": REGION, "event_source": f"{service}.amazonaws.com",
        "event_name": name, "event_category": "Management", "outcome": "ok", "event_count": 1, "first_seen": moment,
        "last_seen": moment, "event_id": "e1", "cluster": "shop" if service == "ecs" else None,
    } | more  # fmt: skip
    return [row | {"named_by": by, "resource": what} for by, what in named or ((None, None),)]


def used(*groups: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for group in groups for row in group], schema=USED)


def passed(*roles: Mapping[str, Any]) -> pa.Table:
    moment = datetime(2026, 11, 2, 9)
    row = {
        "principal_arn": ROLE, "account_id": ACCOUNT, "kind": "role", "passed_to": "ecs-tasks.amazonaws.com",
        "event_names": "RegisterTaskDefinition", "event_count": 1, "first_seen": moment, "last_seen": moment, "event_id": "p1",
    }  # fmt: skip
    return pa.Table.from_pylist([row | role for role in roles], schema=PASSED)


def iam_allows(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """As IAM decides: one statement is enough whose action, resource and conditions all fit."""
    return any(
        any(_fits(pattern.lower(), action.lower()) for pattern in statement["Action"])
        and any(_fits(pattern, resource) for pattern in statement["Resource"])
        and all(
            (context or {}).get(key) == value
            for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
        )
        for document in documents
        for statement in document["Statement"]
    )


def _fits(pattern: str, text: str) -> bool:
    """Character by character, with every place in *text* that the pattern so far can have come to."""
    places = {0}
    at = 0
    while at < len(pattern):
        if pattern[at : at + 2] == "${" and pattern[at + 3 : at + 4] == "}":
            places = {p + 1 for p in places if text[p : p + 1] == pattern[at + 2]}
            at += 4
            continue
        if pattern[at] == "*":
            places = set(range(min(places), len(text) + 1)) if places else places
        elif pattern[at] == "?":
            places = {p + 1 for p in places if p < len(text)}
        else:
            places = {p + 1 for p in places if text[p : p + 1] == pattern[at]}
        at += 1
    return len(text) in places
