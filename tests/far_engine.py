"""An engine like Athena or Trino, in this process: tables of its own, a bill, and DuckDB behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.cost import Estimate
from auditkit.engines.dialect import prepare
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.sources import STORED, TableSources
from auditkit.engines.tables import NO_LIMITS, Limits, StoredTable, Tables
from auditkit.model import Parameter, Result, Window
from auditkit.schema import TABLES

THOUGHT = Estimate(5_000)
SCANNED = 1_000  # bytes that each statement reads here, a table


@dataclass
class Extracted:
    """What came of one statement."""

    result: Result
    size: int  # rows of a batch
    fails_after: int | None = None  # batches

    @property
    def sql(self) -> str:
        return self.result.sql

    @property
    def query_id(self) -> str | None:
        return self.result.query_id

    @property
    def bytes_scanned(self) -> int | None:
        return self.result.bytes_scanned

    @property
    def cost_usd(self) -> float | None:
        return self.result.cost_usd

    def batches(self) -> Iterator[pa.Table]:
        rows = self.result.table
        for number, start in enumerate(range(0, len(rows), self.size)):
            if number == self.fails_after:
                raise ConnectionError("the line went dead")
            yield rows.slice(start, self.size)


class FarEngine:
    """Tables in the store's layout; every statement is remembered."""

    name = "athena"
    region = "eu-central-1"
    profile = None
    is_charged = True

    def __init__(
        self, tables: Mapping[str, pa.Table], *, limits: Limits = NO_LIMITS, estimate: Estimate | None = THOUGHT
    ) -> None:
        stored = {
            name: StoredTable(
                (STORED + name,), "store", {c.name: exp.DataType.build(c.type) for c in TABLES[name].columns}
            )
            for name in tables
        }
        self.tables = Tables(stored, limits)
        self.sources = TableSources(self.tables)
        self.estimate = estimate
        self.asked: list[tuple[str, Window]] = []
        self.batch_rows = 7  # so few that days and files are torn apart
        self.fails_after: int | None = None  # batches
        self._duckdb = DuckDBEngine(tables, self.sources)

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        statement = prepare(sql, params, window, self.sources)
        self.asked.append((statement.shown, window))
        found = self._duckdb.run(sql, params, window=window)
        size = SCANNED * len(statement.reads)
        return Result(found.table, statement.shown, self.name, 0.1, f"q-{len(self.asked)}", size, size * 5e-12)

    def explained(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Estimate | None:
        return self.estimate

    def close(self) -> None:
        """There is nothing to let go of."""

    def outside_projection(self, window: Window) -> str | None:
        return None

    @contextmanager
    def extract(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Iterator[Extracted]:
        yield Extracted(self.run(sql, params, window=window), self.batch_rows, self.fails_after)
