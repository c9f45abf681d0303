"""Is the evidence complete? What was read, what was not, and what the logs themselves say they lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from auditkit.model import Result, Window
from auditkit.store import Store

NOTHING_TO_JUDGE = "There was nothing to judge: no event and no flow record lies in the window."

Ask = Callable[..., Result]  # Audit.ask: a question of the catalogue by name


@dataclass(frozen=True, slots=True)
class Coverage:
    """The books of a store and what lies inside a window. Records seen are the sum of all other records."""

    window: dict[str, str | None]
    files: dict[str, int]  # by state: stored, partial, quarantined, not a log
    records: dict[str, int]  # seen, stored, duplicates, quarantined, outside, set_apart
    balanced: bool
    quarantined: list[dict[str, Any]]  # file, reason, records lost
    not_logs: list[dict[str, Any]]
    tables: dict[str, dict[str, Any]]  # by table: rows in the window, first, last, accounts, regions
    blind_s: float  # seconds of SKIPDATA in the window
    blind: list[dict[str, Any]]
    cells: list[dict[str, Any]]  # one a table, account, region and day: how many records, first, last, files

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def coverage(store: Store, ask: Ask, window: Window) -> Coverage:
    """What *store* holds and lacks, and what of it lies inside *window*."""
    books = store.books()
    states = {"stored": 0, "partial": 0, "quarantined": 0, "not a log": 0}
    for row in books["by_state"]:
        states[row["state"]] += row["files"]
    records = {name: books[name] for name in ("stored", "duplicates", "quarantined", "outside", "set_apart")}
    cells = ask("evidence/coverage", window=window).table.to_pylist()
    blind = ask("evidence/blind_time", window=window).table.to_pylist()
    troubled = books["troubled"]
    return Coverage(
        window=window.as_json(),
        files=states,
        records={"seen": books["records"], **records},
        balanced=books["records"] == sum(records.values()),
        quarantined=[
            {"file": row["key"], "reason": row["reason"], "records_lost": row["quarantined"]}
            for row in troubled
            if row["state"] in ("partial", "quarantined")
        ],
        not_logs=[{"file": row["key"], "reason": row["reason"]} for row in troubled if row["state"] == "not a log"],
        tables=_tables(cells),
        blind_s=float(sum(row["blind_s"] or 0 for row in blind)),
        blind=blind,
        cells=cells,
    )


def _tables(cells: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The cells summed up for each table."""
    tables: dict[str, dict[str, Any]] = {}
    for cell in cells:
        first, last = cell["first_record"], cell["last_record"]
        table = tables.setdefault(
            cell["source_table"], {"rows": 0, "first": first, "last": last, "accounts": set(), "regions": set()}
        )
        table["rows"] += cell["record_count"]
        table["first"] = min(table["first"], first)
        table["last"] = max(table["last"], last)
        table["accounts"].add(cell["account_id"])
        table["regions"].add(cell["region"])
    for table in tables.values():
        for name in ("accounts", "regions"):
            table[name] = sorted(value for value in table[name] if value)
    return tables
