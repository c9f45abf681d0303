"""What the runs before this one found: a small record that lies beside each report."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from auditkit.model import SEVERITIES, Severity, Window, iso

VERSION = 1


def latest(folder: Path, stem: str) -> Path | None:
    """The record of the last run of the notebook *stem* in *folder*; None when there was none."""
    return max(folder.glob(f"{glob.escape(stem)}-????????T??????Z.json"), default=None)  # the names sort by time


def earlier_findings(record: str | Path) -> set[str] | None:
    """The finding ids of an earlier run's record; None when there is no record, or none that can be compared."""
    if not record:
        return None
    try:
        kept = json.loads(Path(record).read_text(encoding="utf-8"))
        return {finding["id"] for finding in kept["findings"]} if kept["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(
    path: Path,
    *,
    notebook: str,
    findings: Sequence[Mapping[str, Any]],
    counts: Mapping[Severity, int],
    window: Window,
    now: datetime,
) -> None:
    """Leave the record of a run at *path*: counts by severity, and of each finding id, rule and severity."""
    kept = {
        "version": VERSION,
        "notebook": notebook,
        "generated": iso(now),
        "window": window.as_json(),
        "counts": {severity: counts[severity] for severity in SEVERITIES},
        "findings": [{name: finding[name] for name in ("id", "rule", "severity")} for finding in findings],
    }
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
