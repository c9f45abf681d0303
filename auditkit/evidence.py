"""Is the evidence complete? What was read, what was not, and what the logs themselves say they lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from auditkit.coverage import WEAK, Hours, gaps, judge
from auditkit.logs.keys import HOUR_S
from auditkit.model import Ask, Window, counted, iso
from auditkit.pulls import EVERYTHING, PulledDay
from auditkit.signs import Gathered, gather, hour_of
from auditkit.store import Store

NOTHING_TO_JUDGE = "There was nothing to judge: no event and no flow record lies in the window."


@dataclass(frozen=True, slots=True)
class Coverage:
    """The books of a store and what lies inside a window. Records seen are the sum of all other records."""

    window: dict[str, str | None]
    files: dict[str, int]  # by state: stored, partial, quarantined, digest, not a log
    records: dict[str, int]  # seen, stored, duplicates, quarantined, outside, set_apart
    balanced: bool
    quarantined: list[dict[str, Any]]  # file, reason, records lost
    not_logs: list[dict[str, Any]]
    tables: dict[str, dict[str, Any]]  # by table: rows in the window, first, last, accounts, regions
    blind_s: float  # seconds of SKIPDATA in the window
    blind: list[dict[str, Any]]
    cells: list[dict[str, Any]]  # one a table, account, region and day: how many records, first, last, files
    judged: dict[str, str | None]  # the hours that have a state: the window, its open sides bounded by the logs
    hours: dict[str, dict[str, int]]  # by table, by state: hours of an account and a region
    gaps: list[dict[str, Any]]  # the spans that are missing
    unknown: list[str]  # sentences: what cannot be told from these logs
    spans: pa.Table  # every hour judged, in stretches of one state and proof, of the schema coverage.SPAN

    def as_json(self) -> dict[str, Any]:
        """All but the spans, which can be very many."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "spans"}


def coverage(
    store: Store, ask: Ask, window: Window, *, accounts: Iterable[str] = (), regions: Iterable[str] = ()
) -> Coverage:
    """What *store* holds and lacks, and what of it lies inside *window*.

    Args:
        accounts, regions: Expected even if nothing of them was read.
    Raises: ParameterError, for what is no account id or no region.
    """
    books = store.books()
    states = {"stored": 0, "partial": 0, "quarantined": 0, "digest": 0, "not a log": 0}
    for row in books["by_state"]:
        states[row["state"]] += row["files"]
    records = {name: books[name] for name in ("stored", "duplicates", "quarantined", "outside", "set_apart")}
    cells = ask("evidence/coverage", window=window).table.to_pylist()
    blind = ask("evidence/blind_time", window=window).table.to_pylist()
    troubled = books["troubled"]
    signs = _signs(store, ask, window)
    judged = judge(signs, window, accounts=accounts, regions=regions)
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
        judged={"start": _hour(judged.start), "end": _hour(judged.end)},
        hours=judged.by_state,
        gaps=gaps(judged.spans),
        unknown=[*_not_pulled(store.pulled_days(), window), *_unknown(signs, judged)],
        spans=judged.spans,
    )


def _signs(store: Store, ask: Ask, window: Window) -> Gathered:
    """All signs of life of the hours that *window* touches. SKIPDATA may begin in the hour before."""
    start, end = (
        _moment(hour_of(side, up=up)) if side else None for side, up in ((window.start, False), (window.end, True))
    )
    hours = ask("evidence/hours", window=Window(start, end)).table
    before = start - timedelta(hours=1) if start else None
    blind = ask("evidence/blind_intervals", window=Window(before, end)).table
    return gather(store.each_log(), store.each_listed_file(), hours, blind)


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * HOUR_S, UTC)


def _hour(hour: int | None) -> str | None:
    return None if hour is None else iso(_moment(hour))


def _unknown(signs: Gathered, judged: Hours) -> list[str]:
    """What these logs leave open, most important first."""
    texts = []
    trail, flows = signs.tables["cloudtrail_events"], signs.tables["flow_records"]
    weak = int(pc.sum(judged.spans.filter(pc.equal(judged.spans["proof"], WEAK))["hours"]).as_py() or 0)
    if trail.pairs and not signs.has_digests:
        texts.append(
            "There are no digests among the logs, so a quiet hour of CloudTrail cannot be told from a missing one, "
            "nor a whole hour from one that lost a file. Log file validation writes digests."
        )
    if weak:
        texts.append(
            f"{counted(weak, 'quiet hour')} of CloudTrail {'rests' if weak == 1 else 'rest'} on other files and events "
            "of the same account: its trail was at work, so it is likely, and not proven, that nothing happened."
        )
    if flows.pairs:
        texts.append(
            "An hour of flow records counts as seen when any interface of the account and region has some: a flow log "
            "that was switched off beside another one is not seen here."
        )
    if any(region is None for _, region in flows.pairs):
        texts.append(
            "Some flow records say no region, and neither does the path of their file: their region is shown as -."
        )
    if signs.nameless:
        texts.append(f"{counted(signs.nameless, 'quarantined file')} could belong to any hour: the name says none.")
    return texts


def _not_pulled(pulled: Sequence[PulledDay], window: Window) -> list[str]:
    """What rows that came from an engine leave open."""
    days = [day for day in pulled if day.window.touches(window)]
    if not days:
        return []
    scopes = sorted({f"{day.table}: {day.scope}" for day in days if day.scope != EVERYTHING})
    texts = [f"Only some records were asked of {days[0].engine} ({'; '.join(scopes)}): the others are not seen here."]
    engines = ", ".join(sorted({day.engine for day in days}))
    return [
        *(texts if scopes else []),
        f"The records came from tables of {engines}. A file that cannot be read there, or holds no records, leaves no "
        "trace in them, and neither do digests: `auditkit verify` judges the files.",
    ]


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
