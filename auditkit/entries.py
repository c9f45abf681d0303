"""What the ledger of a store says of one source file."""

from __future__ import annotations

from dataclasses import dataclass

from auditkit.logs.digests import Digest
from auditkit.logs.parsed import BadRecord
from auditkit.logs.source import SourceFile
from auditkit.model import Window, iso

ABOVE = " above "  # in a version: of a file that was refused, and the bound it exceeded


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One source file. `records` = stored + duplicates + quarantined + outside + set_apart."""

    key: str
    size: int
    version: str
    window_start: str
    window_end: str
    state: str
    kind: str | None = None
    sha256: str | None = None
    content_sha256: str | None = None
    flow_format: str | None = None
    reason: str | None = None
    records: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    outside: int = 0
    set_apart: int = 0
    bad: tuple[BadRecord, ...] = ()
    digest: Digest | None = None

    @classmethod
    def of(cls, file: SourceFile, window: Window, *, state: str = "stored", reason: str | None = None) -> FileEntry:
        """The entry of a file of which nothing is known yet."""
        start, end = iso(window.start) or "", iso(window.end) or ""
        return cls(file.key, file.size, file.version, start, end, state, reason=reason)
