"""Athena or Trino as an Audit asks them: with the bill known before, and counted after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rich.filesize import decimal

from auditkit.engines import RemoteEngine
from auditkit.engines.cost import NOTHING, Estimate, cost_usd, listed
from auditkit.engines.dialect import parse, prepare, tables_read
from auditkit.engines.remote import scans
from auditkit.engines.sources import TableSources
from auditkit.errors import ScanLimitError
from auditkit.model import Parameter, Result, Window, counted
from auditkit.pull import PullReport, planned, pull, statement
from auditkit.store import Store

Say = Callable[[str], None]


def silently(text: str) -> None:
    """Nobody is told."""


@dataclass
class Remote:
    """One engine, and how much it may read."""

    engine: RemoteEngine
    max_scan: int | None = None  # bytes of one statement, or of one pull
    say: Say = silently
    statements: int = 0  # run so far, and what they read
    bytes_scanned: int = 0
    cost_usd: float | None = None
    _sizes: dict[tuple[str, Window], Estimate] = field(default_factory=dict)

    def run(self, sql: str, params: Mapping[str, Parameter], window: Window) -> Result:
        """One statement, there. Raises: ScanLimitError, when it would read too much; what Engine.run raises."""
        self._check(self.estimate(sql, params, window))
        result = self.engine.run(sql, params, window=window)
        self._count(1, result.bytes_scanned, result.cost_usd)
        return result

    def pull(
        self, store: Store, window: Window, *, now: datetime, whole_days: bool, services: tuple[str, ...] = ()
    ) -> PullReport:
        """The rows of *window* into *store*. Raises: as `run`; StoreError."""
        pieces = planned(self.engine, store, window, services=services, now=now, whole_days=whole_days)
        if not pieces:
            return PullReport()
        estimates = [self.estimate(*statement(piece.table, piece.scope), piece.window) for piece in pieces]
        self._check(sum(estimates, NOTHING))
        weighed = [replace(piece, estimated_bytes=one.bytes) for piece, one in zip(pieces, estimates, strict=True)]
        report = pull(self.engine, store, weighed, now=now)
        self._count(len(report.query_ids), report.bytes_scanned, report.cost_usd)
        return report

    def estimate(self, sql: str, params: Mapping[str, Parameter], window: Window) -> Estimate:
        """What *sql* reads at most, by listing: each table as often as it is named, all columns. Else what the engine
        thinks of it.
        """
        if not tables_read(parse(sql)):
            return NOTHING
        statement = prepare(sql, params, window, TableSources(self.engine.tables))
        by_listing = self._sum({table: number for table, number in scans(statement).items() if number}, window)
        if by_listing.bytes is not None:
            return by_listing
        return self.engine.explained(sql, params, window=window) or by_listing

    def price(self, estimate: Estimate) -> str:
        """The estimate in words, with its dollars where the engine asks for any."""
        if estimate.bytes is None or not self.engine.is_charged:
            return str(estimate)
        return f"{estimate}: ${cost_usd(estimate.bytes, self.engine.region):,.4f}"

    @property
    def summary(self) -> str:
        """What was run so far, in words."""
        cost = f", ${self.cost_usd:,.4f}" if self.cost_usd is not None else ""
        return f"{counted(self.statements, 'statement')}, {decimal(self.bytes_scanned)} read{cost}"

    def _sum(self, times: Mapping[str, int], window: Window) -> Estimate:
        total = NOTHING
        for table, number in times.items():
            total += self._size(table, window).times(number)
        return total

    def _size(self, table: str, window: Window) -> Estimate:
        if (table, window) not in self._sizes:
            tables = self.engine.tables
            self._sizes[table, window] = listed(
                tables.stored[table], window, tables.limits, profile=self.engine.profile
            )
        return self._sizes[table, window]

    def _check(self, estimate: Estimate) -> None:
        self.say(f"{self.engine.name} reads {self.price(estimate)}.")
        if self.max_scan is None:
            return
        if estimate.bytes is None:
            raise ScanLimitError(
                f"--max-scan allows {decimal(self.max_scan)}, and this would read {estimate}. Nothing was run. Let the "
                "objects be listed, or leave --max-scan out; a limit of the workgroup still holds."
            )
        if estimate.bytes > self.max_scan:
            raise ScanLimitError(
                f"--max-scan allows {decimal(self.max_scan)}, and this would read {self.price(estimate)}. Nothing was "
                "run. Ask for a shorter window, or for some --accounts or --regions, or allow more."
            )

    def _count(self, statements: int, bytes_scanned: int | None, cost: float | None) -> None:
        self.statements += statements
        self.bytes_scanned += bytes_scanned or 0
        if cost is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost
