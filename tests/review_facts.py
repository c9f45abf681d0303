"""Facts of a review as tests need them: the rows a test is about are given, all else is silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa

from auditkit.catalogue import Catalogue
from auditkit.coverage import SPAN
from auditkit.ecs_review.facts import Facts
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.evidence import Coverage
from auditkit.model import Finding

NIGHT = datetime(2026, 11, 3, 2, tzinfo=UTC)
EVE = "arn:aws:iam::111122223333:user/eve"
CI = "arn:aws:iam::111122223333:role/ci"
DIGEST = "sha256:" + "0" * 64
ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
QUESTIONS = (
    "task_definitions", "launches", "security_groups", "security_group_changes", "cluster_access", "shells",
    "registry", "image_pulls", "logging_state", "role_changes", "role_use", "task_traffic",
)  # fmt: skip

Rows = Sequence[dict[str, Any]]


@cache
def _columns(question: str) -> tuple[str, ...]:
    """What the question gives, asked of tables without rows: a test cannot name a column that it does not have."""
    query = Catalogue.load().get(question)
    return tuple(DuckDBEngine({}).run(query.sql, query.bind({})).table.column_names)


def answer(question: str, given: Rows) -> pd.DataFrame:
    """The rows of *question*, a minute apart, by eve, and with ids e1, e2, … where they do not say otherwise."""
    columns = _columns(question)
    usual = {"account_id": "111122223333", "outcome": "ok", "principal_arn": EVE, "hand": "person"}
    rows = []
    for number, row in enumerate(given, start=1):
        assert set(row) <= set(columns), set(row) - set(columns)
        times = dict.fromkeys(("event_time", "first_seen", "last_seen"), NIGHT + timedelta(minutes=number))
        filled = usual | times | {"event_id": f"e{number}"} | row
        rows.append({name: filled.get(name) for name in columns})
    return pd.DataFrame(rows, columns=list(columns))


def covered(**given: Any) -> Coverage:
    """A coverage in which nothing is missing, and nothing proven either."""
    usual: dict[str, Any] = {
        "window": {"start": None, "end": None},
        "files": {},
        "records": {},
        "balanced": True,
        "quarantined": [],
        "not_logs": [],
        "tables": {"cloudtrail_events": {"rows": 5}},
        "blind_s": 0.0,
        "blind": [],
        "cells": [],
        "judged": {"start": None, "end": None},
        "hours": {},
        "gaps": [],
        "unknown": [],
        "spans": spans("records"),
    }
    return Coverage(**(usual | given))


def spans(*proofs: str, table: str = "cloudtrail_events") -> pa.Table:
    """Stretches of two hours of *table*, one for each proof."""
    rows = [{"table": table, "state": "seen", "proof": proof, "hours": 2} for proof in proofs]
    return pa.Table.from_pylist(rows, schema=SPAN)


def facts(
    findings: Sequence[Finding] = (), *, coverage: Coverage | None = None, cluster: str = "", service: str = "",
    secret_reads: Rows = (), **given: Rows,
) -> Facts:  # fmt: skip
    """Facts with the answers given by the names of their questions."""
    frames = {name: answer(f"review/{name}", given.pop(name, ())) for name in QUESTIONS}
    assert not given
    return Facts(
        **frames,
        secret_reads=answer("activity/secret_reads", secret_reads),
        findings=findings,
        coverage=coverage or covered(),
        cluster=cluster or None,
        service=service or None,
    )
