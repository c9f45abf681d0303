"""Rows of Athena or Trino into a store: each day and each service once, so that every question after that is free."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from auditkit.arriving import ArrivingRows
from auditkit.engines import RemoteEngine
from auditkit.engines.dialect import parse
from auditkit.errors import StoreError, WindowError
from auditkit.model import Parameter, Window
from auditkit.pulls import Pull, PulledDay, Scope
from auditkit.resources import QUERIES
from auditkit.schema import TABLES
from auditkit.store import Store

SETTLED = timedelta(days=1)  # after its end a day may still get events that were delivered late


@dataclass
class PullReport:
    """What one pull did."""

    events: int = 0
    flow_records: int = 0
    duplicates: int = 0
    days: int = 0  # of a table, that were brought
    bytes_scanned: int = 0
    cost_usd: float | None = None
    query_ids: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement to come: a stretch of days of one table."""

    table: str
    source: str  # the engine's own table
    window: Window
    scope: Scope
    estimated_bytes: int | None = None  # that it will read at most


def planned(
    engine: RemoteEngine,
    store: Store,
    window: Window,
    *,
    services: Sequence[str] = (),
    now: datetime,
    whole_days: bool = True,
) -> list[Piece]:
    """The statements that bring what *store* lacks of *window*.

    Args:
        services: Whose events, by short name; all by default. Flow records come whole.
        whole_days: Of days that the window touches, all of it: costs the same where folders are days, and makes the
            store one that another pull can go on with. Else the window alone, whatever is there.
    Raises: WindowError, for an open window; StoreError, for a store of other logs; EngineError.
    """
    if window.start is None or window.end is None:
        raise WindowError("A pull needs a window with two sides. Add --since and --until.")
    if store.has_ingested():
        raise StoreError(
            f"The store at {str(store.folder)!r} holds logs that were ingested, and a pull may bring the same again. "
            "Pull into a store of its own."
        )
    limits = engine.tables.limits
    pieces = []
    for table, stored in engine.tables.stored.items():
        of_table = tuple(sorted(services)) if table == "cloudtrail_events" else ()
        scope = Scope(of_table, tuple(sorted(limits.accounts)), tuple(sorted(limits.regions)))
        if whole_days:
            pieces += _missing(store, table, str(stored), engine.name, scope, _whole(window, now))
        else:
            pieces.append(Piece(table, str(stored), window, scope))
    return pieces


def pull(engine: RemoteEngine, store: Store, pieces: Sequence[Piece], *, now: datetime) -> PullReport:
    """Bring the *pieces* into *store*: each whole or not at all. Raises: StoreError; EngineError; QueryError."""
    started = time.perf_counter()
    report = PullReport()
    with store.locked():
        store.sweep()
        for piece in pieces:
            _bring(engine, store, piece, now, report)
    report.seconds = time.perf_counter() - started
    return report


def _whole(window: Window, now: datetime) -> Window:
    """*window* from midnight to midnight, but not beyond *now*."""
    assert window.start
    assert window.end
    start = window.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = window.end.astimezone(UTC) - timedelta(microseconds=1)
    end = last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Window(start, max(min(end, now), start + timedelta(microseconds=1)))


def _days(window: Window) -> list[date]:
    assert window.start
    assert window.end
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _missing(store: Store, table: str, source: str, engine: str, scope: Scope, window: Window) -> list[Piece]:
    """The stretches of whole days in *window* that the store does not have, or had before they were complete.

    A day that it has for other services is brought for both.
    Raises: StoreError, when it has days of another table, or of other accounts and regions.
    """
    held = {day.day: day for day in store.pulled_days() if day.table == table}
    for day in held.values():
        if (day.engine, day.source) != (engine, source):
            raise StoreError(
                f"The store holds {table} of {day.source} of {day.engine}, and this is {source} of {engine}. "
                "Pull into a store of its own."
            )
    wanted: list[tuple[date, Scope]] = []
    for number in _days(window):
        there = held.get(number)
        if there is None:
            wanted.append((number, scope))
        elif not there.scope.covers(scope):
            wanted.append((number, _widened(there, scope)))
        elif there.pulled_at < _midnight(number + timedelta(days=1)) + SETTLED:
            wanted.append((number, there.scope))
    return [Piece(table, source, span, of) for span, of in _stretches(wanted, window)]


def _widened(day: PulledDay, scope: Scope) -> Scope:
    """What to bring of a day that is there in part."""
    if (day.scope.accounts, day.scope.regions) != (scope.accounts, scope.regions):
        raise StoreError(
            f"The store holds {day.table} of {day.day} for {day.scope}, and this pull is for {scope}. Pull for the "
            "same accounts and regions, or into a store of its own."
        )
    return scope.with_services_of(day.scope)


def _stretches(wanted: Sequence[tuple[date, Scope]], window: Window) -> Iterator[tuple[Window, Scope]]:
    """Days that follow each other, with the same scope."""
    assert window.end
    start = 0
    for at in range(1, len(wanted) + 1):
        (first, scope), (last, _) = wanted[start], wanted[at - 1]
        if at == len(wanted) or wanted[at] != (last + timedelta(days=1), scope):
            yield Window(_midnight(first), min(_midnight(last + timedelta(days=1)), window.end)), scope
            start = at


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _bring(engine: RemoteEngine, store: Store, piece: Piece, now: datetime, report: PullReport) -> None:
    started = time.perf_counter()
    table, window = piece.table, piece.window
    sql, params = statement(table, piece.scope)
    rows = ArrivingRows(store.folder, table)
    with engine.extract(sql, params, window=window) as extraction:
        for batch in extraction.batches():
            rows.take(batch)
        rows.finish()
        done = Pull(
            table=table,
            window=window,
            engine=engine.name,
            source=piece.source,
            scope=piece.scope,
            query_id=extraction.query_id,
            estimated_bytes=piece.estimated_bytes,
            bytes_scanned=extraction.bytes_scanned,
            cost_usd=extraction.cost_usd,
            duration_s=time.perf_counter() - started,
            pulled_at=now,
            sql=extraction.sql,
            row_count=rows.stored,
        )
    store.commit_pull(done, rows.files(), rows.parts, _days(window))
    report.days += len(_days(window))
    report.duplicates += rows.duplicates
    if table == "cloudtrail_events":
        report.events += rows.stored
    else:
        report.flow_records += rows.stored
    report.bytes_scanned += done.bytes_scanned or 0
    if done.cost_usd is not None:
        report.cost_usd = (report.cost_usd or 0.0) + done.cost_usd
    report.query_ids += [done.query_id] if done.query_id else []


def statement(table: str, scope: Scope) -> tuple[str, dict[str, Parameter]]:
    """Every column of *table*, of the services asked for."""
    tree = parse((QUERIES / "frames" / "pull.sql").read_text(encoding="utf-8"))
    tree.set("from_", None)
    tree = tree.from_(table, copy=False).select(*TABLES[table].names, append=False, copy=False)  # type: ignore[attr-defined]
    if not scope.services:
        tree.set("where", None)
        return tree.sql("trino", pretty=True), {}
    return tree.sql("trino", pretty=True), {"services": Parameter("array(varchar)", list(scope.services))}
