"""The command `pull`: from its words to a store, and from what was done to the terminal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from auditkit.asking import opened_there
from auditkit.output import as_json
from auditkit.parameters import names_in
from auditkit.terminal import say, show


def pulled(store: Path, *, engine: str, services: str | None, style: str, **where: Any) -> None:
    """Bring a window into the store in *store*, and print what came of it."""
    with opened_there(engine, **where) as audit:
        report = audit.pull(store, services=names_in(services))
    if style == "json":
        show(as_json({**asdict(report), "seconds": round(report.seconds, 3)}))
        return
    cost = f", ${report.cost_usd:,.4f}" if report.cost_usd is not None else ""
    show(
        f"{report.events:,} events and {report.flow_records:,} flow records stored, {report.duplicates:,} duplicates, "
        f"{decimal(report.bytes_scanned)} read{cost}, {report.seconds:.1f} s."
    )
    if not report.days:
        say("All days of the window were there already.")
    elif not report.events + report.flow_records:
        say("Nothing lies in that window. Do the tables reach that far? `auditkit athena check` looks.")
