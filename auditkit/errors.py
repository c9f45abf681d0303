"""Every exception auditkit raises on purpose: what happened, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AuditkitError(Exception):
    """Base of all auditkit errors; its text is fit to be shown to a user."""


class SourceError(AuditkitError):
    """Logs could not be found or opened."""


class UnreadableFileError(AuditkitError):
    """A file cannot be read as a log. Ingest quarantines it with this text as the reason and goes on."""


class TooMuchTextError(UnreadableFileError):
    """A file holds more text than it may; with a higher bound it is worth another try."""

    def __init__(self, said: str, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"{said}; --max-text allows more")


class UnavailableFileError(UnreadableFileError):
    """The bytes of a file cannot be had: it is forbidden, archived, on a broken disk. The next ingest tries again."""


class VerificationError(AuditkitError):
    """Log files cannot be held against their digests: a key or an object cannot be had."""


class StoreError(AuditkitError):
    """A store cannot be opened, written or trusted."""


class WindowError(AuditkitError):
    """A time or a window of time makes no sense."""


class CatalogueError(AuditkitError):
    """A query or rule file breaks the rules of the catalogue."""


class UnknownQueryError(AuditkitError):
    """No query, rule or notebook of that name is in the catalogue."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, sorted(known)
        close = get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"Nothing named {name!r}.{hint} `auditkit list` shows all {len(self.known)}.")


class ParameterError(AuditkitError):
    """A parameter is unknown, missing or of the wrong type."""


class QueryError(AuditkitError):
    """SQL was refused, or failed while it ran."""


class EngineError(AuditkitError):
    """Athena or Trino cannot be reached, does not let this caller in, or lacks what it is asked about."""


class ScanLimitError(AuditkitError):
    """A statement would read, or has read, more bytes than it may."""


class ReportError(AuditkitError):
    """A notebook stopped half-way, so there is no report."""


class UnknownSubjectError(ParameterError):
    """Nothing in the logs has the name that was asked about."""

    def __init__(self, text: str, where: str, close: Iterable[str]) -> None:
        self.text, self.close = text, list(close)
        hint = f" Did you mean {' or '.join(map(repr, self.close))}?" if self.close else ""
        super().__init__(f"Nothing in {where} is called {text!r}.{hint}")


class AmbiguousSubjectError(ParameterError):
    """Things of several kinds have the name that was asked about."""

    def __init__(self, text: str, kinds: Iterable[str]) -> None:
        self.text, self.kinds = text, list(kinds)
        choice = " or ".join(f"--kind {kind}" for kind in self.kinds)
        super().__init__(f"{text!r} is the name of {len(self.kinds)} kinds of things. Say which is meant: {choice}.")
