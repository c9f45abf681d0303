"""What a window is compared with: the time before it, or a store of earlier logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from auditkit.errors import ParameterError, WindowError
from auditkit.logs.source import STORE_LEDGER
from auditkit.model import Window, parse_age


@dataclass(frozen=True, slots=True)
class Before:
    """So long before the window, of the same logs; or all that a store has from before it."""

    age: timedelta | None = None
    store: Path | None = None

    @classmethod
    def parse(cls, text: str | Path) -> Before:
        """From the words of `--baseline`: an age such as `14d`, or the folder of a store. Raises: ParameterError."""
        if age := parse_age(str(text)):
            return cls(age=age)
        if (Path(text) / STORE_LEDGER).is_file():
            return cls(store=Path(text).absolute())
        raise ParameterError(
            f"--baseline takes an age (14d, 2w) or a store made by `auditkit ingest`, and {str(text)!r} is neither."
        )

    def __str__(self) -> str:
        """The words that `parse` takes."""
        if self.age is None:
            return str(self.store)
        units = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
        unit = next(name for name, length in units.items() if not self.age % length)
        return f"{self.age // units[unit]}{unit}"

    def reach(self, window: Window) -> Window:
        """*window* with what of the same logs lies before it. Raises: WindowError, when nothing can lie before it."""
        if self.age is None:
            return window
        if window.start is None:
            raise WindowError(
                "A baseline is what came before the window, and this window has no start. Add --since, or name a "
                "store of earlier logs: --baseline STORE."
            )
        return Window(window.start - self.age, window.end)
