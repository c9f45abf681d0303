"""What one statement of Athena is doing, and whether it may go on."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyathena.model import AthenaQueryExecution

from auditkit.errors import ScanLimitError
from auditkit.model import Running

ENDED_BADLY = ("FAILED", "CANCELLED")
Progress = Callable[[Running], None]


class Watch:
    """What one statement is doing: told to whoever wants to know, and held against its limit."""

    def __init__(self, engine: str, most_bytes: int | None, progress: Progress | None) -> None:
        self._engine, self._most_bytes, self._progress = engine, most_bytes, progress
        self._started = time.perf_counter()
        self.query_id: str | None = None
        self.last: AthenaQueryExecution | None = None

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._started

    @property
    def bytes_scanned(self) -> int:
        """So far."""
        return int(self.last.data_scanned_in_bytes or 0) if self.last else 0

    @property
    def is_running(self) -> bool:
        ended = self.last is not None and self.last.state in AthenaQueryExecution.TERMINAL_STATES
        return self.query_id is not None and not ended

    def started(self, query_id: str) -> None:
        self.query_id = query_id
        self._tell("QUEUED")

    def polled(self, execution: AthenaQueryExecution) -> None:
        """Raises: ScanLimitError, when the statement has read more than it may."""
        self.last = execution
        self._tell(str(execution.state))
        most, state = self._most_bytes, execution.state
        if most is not None and self.bytes_scanned > most and state not in ENDED_BADLY:
            done = "has read" if state == "SUCCEEDED" else "was stopped after it had read"
            raise ScanLimitError(
                f"Query {self.query_id} {done} {self.bytes_scanned:,} bytes; at most {most:,} are allowed. Ask for a "
                "shorter window or for fewer accounts and regions, or raise the limit with --max-scan."
            )

    def _tell(self, state: str) -> None:
        if self._progress and self.query_id:
            self._progress(Running(self._engine, self.query_id, state, self.elapsed_s, self.bytes_scanned))
