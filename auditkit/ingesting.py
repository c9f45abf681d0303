"""The commands `ingest` and `compact`: from their words to a store, and from what was done to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from time import monotonic

from rich.filesize import decimal

from auditkit.asking import LISTED, say_no_files, say_unknown_fields
from auditkit.compaction import compact
from auditkit.ingest import IngestReport, ingest
from auditkit.logs.flow_format import FlowFormat
from auditkit.logs.reading import Options
from auditkit.model import Window, counted
from auditkit.output import as_json
from auditkit.store import Store
from auditkit.terminal import merging, reading, say, show


def ingested(
    logs: Sequence[str],
    folder: Path,
    *,
    since: str | None,
    until: str | None,
    flow_format: str | None,
    max_text_mb: int,
    processes: int | None,
    now: datetime,
    style: str,
) -> None:
    """Read logs into the store in *folder*, and print what came of it."""
    window = Window.parse(since, until, now=now)
    options = Options(max_text_mb << 20, FlowFormat.parse(flow_format) if flow_format else None)
    say_unknown_fields(flow_format)
    started = monotonic()
    with reading() as progress:
        store = Store(folder, create=True)
        report = ingest(store, logs, window=window, options=options, processes=processes, progress=progress)
    seconds = round(monotonic() - started, 3)
    if style == "json":
        show(as_json({**asdict(report), "seconds": seconds}))
    else:
        show(
            f"{counted(report.files, 'new file')} ({report.known_files:,} known), {decimal(report.bytes)}: "
            f"{report.events:,} events and {report.flow_records:,} flow records stored, "
            f"{report.duplicates:,} duplicates, {seconds:.1f} s."
        )
    if not report.files + report.known_files:
        say_no_files(tuple(logs))
    _say_what_is_missing(report)


def _say_what_is_missing(report: IngestReport) -> None:
    """What was read and is not in the store, and why."""
    if report.outside_window:
        say(f"{counted(report.outside_window, 'record')} outside the window left out.")
    if report.set_apart:
        kinds = "Transit Gateway, aggregated events and the like"
        say(f"{counted(report.set_apart, 'record')} of kinds that no table is for left out: {kinds}.")
    if report.digests:
        say(f"{counted(report.digests, 'digest')} of CloudTrail read, for `auditkit coverage`.")
    if report.not_logs:
        say(f"{counted(report.not_logs, 'file')} left out: no logs.")
    for trouble in report.quarantine[:LISTED]:
        place = "" if trouble["position"] is None else f", record {trouble['position']}"
        say(f"quarantined: {trouble['file']}{place}: {trouble['reason']}")
    if len(report.quarantine) > LISTED:
        say(f"quarantined: {len(report.quarantine) - LISTED:,} more; --json names them all")


def compacted(folder: Path, *, style: str) -> None:
    """Merge the parts of the store in *folder*, and print what came of it."""
    started = monotonic()
    with merging() as progress:
        report = compact(Store(folder), progress=progress)
    seconds = round(monotonic() - started, 3)
    if style == "json":
        show(as_json({**asdict(report), "seconds": seconds}))
    elif report.days:
        sizes = f"{decimal(report.bytes_before)} to {decimal(report.bytes_after)}"
        show(
            f"{counted(report.days, 'day')} merged: {counted(report.parts_before, 'part')} to {report.parts_after:,}, "
            f"{sizes}, {seconds:.1f} s. {counted(report.days_left, 'day')} already compact."
        )
    else:
        show(f"Nothing to merge: {counted(report.days_left, 'day')} already compact.")
