"""What was asked, and what it cost: every statement of an Audit, for provenance to tell."""

from __future__ import annotations

from dataclasses import dataclass

from auditkit.model import Result


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement that was run, without its rows: what provenance tells of it."""

    name: str
    sql: str
    rows: int
    duration_s: float
    bytes_scanned: int | None
    cost_usd: float | None
    engine: str
    query_id: str | None


def asked_of(name: str, result: Result) -> Asked:
    rows, engine = result.table.num_rows, result.engine
    cost = result.bytes_scanned, result.cost_usd
    return Asked(name, result.sql, rows, result.duration_s, *cost, engine, result.query_id)
