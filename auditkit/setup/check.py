"""What auditkit finds in the tables of an engine: what is missing there, and what a question will cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlglot import exp

from auditkit.engines.cost import Estimate
from auditkit.engines.partitions import is_by_day
from auditkit.engines.sources import source
from auditkit.engines.tables import StoredTable
from auditkit.errors import AuditkitError
from auditkit.match_rules import probe
from auditkit.model import Window
from auditkit.remote import Remote


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table, looked at."""

    table: str  # cloudtrail_events or flow_records
    name: str
    layout: str | None  # None: it is none that auditkit knows, or is not there
    location: str | None
    partition_keys: tuple[str, ...]
    lacking: tuple[str, ...]  # columns that auditkit would take and that are not there: NULL
    problems: tuple[str, ...]  # what makes answers wrong, incomplete or dear
    estimate: str  # what reading the window once takes
    bytes: int | None
    is_readable: bool  # False: the last problem says why not

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check(remote: Remote, window: Window) -> list[TableCheck]:
    """Each table of *remote*, with what reading *window* of it would take. Nothing is scanned."""
    return [_checked(remote, table, window) for table in remote.engine.tables.stored]


def _checked(remote: Remote, table: str, window: Window) -> TableCheck:
    try:
        stored = remote.engine.tables.stored[table]
    except AuditkitError as error:
        return TableCheck(table, "", None, None, (), (), (str(error),), "", None, False)
    problems, estimate, is_readable = list(_problems(remote, stored, window)), None, True
    try:
        estimate = remote.estimate(probe(table), {}, window)
        remote.engine.explained(probe(table), {}, window=window)
        problems += _in_estimate(stored, window, estimate)
    except AuditkitError as error:
        problems.append(str(error))
        is_readable = False
    return TableCheck(
        table=table,
        name=str(stored),
        layout=stored.layout,
        location=stored.location,
        partition_keys=tuple(key.name for key in stored.partitions),
        lacking=tuple(_lacking(table, stored)),
        problems=tuple(problems),
        estimate=remote.price(estimate) if estimate else "not known",
        bytes=estimate.bytes if estimate else None,
        is_readable=is_readable,
    )


def _lacking(table: str, stored: StoredTable) -> Iterator[str]:
    """Columns, and members of columns, that the layout has a use for."""
    one = source(table, stored.layout)
    for name, kind in one.columns.items():
        there = one.name_in(stored, name)
        if there is None:
            yield name
        else:
            yield from _members_lacking(name, kind, stored.columns[there])


def _members_lacking(name: str, taken: exp.DataType, there: exp.DataType) -> Iterator[str]:
    if not (taken.is_type(exp.DType.STRUCT) and there.is_type(exp.DType.STRUCT)):
        return
    has = {field.name.lower(): field.args.get("kind") for field in there.expressions}
    for field in taken.expressions:
        inner = f"{name}.{field.name.lower()}"
        if field.name.lower() not in has:
            yield inner
        else:
            yield from _members_lacking(inner, field.args["kind"], has[field.name.lower()])


def _problems(remote: Remote, stored: StoredTable, window: Window) -> Iterator[str]:
    if stored.layout != "security_lake" and not is_by_day(stored):
        yield (
            "No partition key is a day, so every question reads the whole table. `auditkit athena ddl` prints one that "
            "is partitioned by day."
        )
    if outside := remote.engine.outside_projection(window):
        yield outside


def _in_estimate(stored: StoredTable, window: Window, estimate: Estimate) -> Iterator[str]:
    if estimate.bytes is None:
        yield f"What it will read cannot be told: {estimate.because}. --max-scan then runs nothing."
    elif estimate.bytes == 0:
        yield f"There are no objects of {window} at {stored.location}."
