"""One run of a notebook over a store: the HTML file, and the record that the next run compares with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from auditkit import history
from auditkit.errors import SourceError, UnknownQueryError
from auditkit.logs.source import is_remote
from auditkit.model import Severity, Window, iso
from auditkit.places import NO_PLACES, Places
from auditkit.report.parameters import bind, declared
from auditkit.report.run import RunRecord, read_notebook, run_report
from auditkit.resources import NOTEBOOKS

DEFAULT_NOTEBOOK = "audit"


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A report on disk. Beside it lies `<name>.json`: the findings' ids, for the next run to compare with."""

    path: Path
    record: RunRecord

    @property
    def severities(self) -> list[Severity]:
        return [finding["severity"] for finding in self.record.findings]

    @property
    def failed(self) -> Mapping[str, str]:
        """Rules that could not run, and why."""
        return dict(self.record.facts.get("rules_failed") or {})

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to judge: no event and no flow record in the window."""
        return self.record.facts.get("records") == 0

    @property
    def summary(self) -> str:
        """One line: how many findings of which severity, and how big the file is."""
        counts = [f"{count} {severity}" for severity, count in reversed(self.record.counts.items()) if count]
        found = f"{', '.join(counts)} findings" if counts else "no findings"
        return f"{found}; {self.record.size_bytes / 1e6:.1f} MB in {self.record.duration_s:.0f} s"


def notebooks() -> dict[str, Path]:
    """The notebooks that came with auditkit, by name."""
    return {path.stem: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}


def find_notebook(name: str | Path) -> Path:
    """The notebook of that name, or at that path. Raises: UnknownQueryError; SourceError, for a path to nothing."""
    known = notebooks()
    if str(name) in known:
        return known[str(name)]
    path = Path(name)
    if path.suffix != ".ipynb":
        raise UnknownQueryError(str(name), known)
    if not path.is_file():
        raise SourceError(f"There is no notebook at {str(path)!r}. Those of auditkit are {', '.join(known)}.")
    return path


def split_notebook(words: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """The notebook that the first of *words* names, else the default one; and the other words, which are logs.

    Raises: SourceError, for a first word that is neither a notebook nor there.
    """
    known = notebooks()
    first = words[0] if words else ""
    if first in known or first.endswith(".ipynb"):
        return find_notebook(first), tuple(words[1:])
    if first and not is_remote(first) and not Path(first).exists():
        raise SourceError(
            f"{first!r} is neither a notebook ({', '.join(known)}) nor a folder or file of logs, nor an s3:// prefix."
        )
    return known[DEFAULT_NOTEBOOK], tuple(words)


def check_parameters(source: Path, parameters: Mapping[str, Any]) -> None:
    """Raises: ParameterError, for parameters that the notebook does not take: before anything is read."""
    bind(read_notebook(source), parameters)


def make_report(
    source: Path,
    store: Path,
    *,
    window: Window,
    out: Path,
    now: datetime,
    logs: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    baseline: str = "",
    allowlist: str = "",
    places: Places = NO_PLACES,
) -> MadeReport:
    """Run the notebook *source* over *store*, and leave `<notebook>-<now>.html` in the folder *out*.

    The notebook is told of store, window, logs, baseline, allowlist, places and the run before only what it declares
    parameters for.

    Args:
        logs: What the store was made from, for the report to name.
        parameters: Further values, by the names the notebook declares.
    Raises: ParameterError; ReportError, when the notebook stops half-way.
    """
    offered = {
        "logs": list(logs),
        "store": str(store.absolute()),
        "since": iso(window.start) or "",
        "until": iso(window.end) or "",
        "baseline": baseline,
        "allowlist": allowlist,
        "networks": places.networks_file,
        "geoip": list(places.geoip_files),
        "previous": str(history.latest(out.absolute(), source.stem) or ""),
    }
    takes = declared(read_notebook(source))
    values = {name: value for name, value in offered.items() if name in takes} | dict(parameters or {})
    html = out / f"{source.stem}-{now:%Y%m%dT%H%M%SZ}.html"
    record = run_report(
        source, values, html, meta={"window": f"Window: {window}", "generated": f"Made {now:%Y-%m-%d %H:%M} UTC"}
    )
    history.write(
        html.with_suffix(".json"),
        notebook=record.notebook,
        findings=record.findings,
        counts=record.counts,
        window=window,
        now=now,
    )
    return MadeReport(html, record)
