"""What the ledger of a store says of the rows that came from Athena or Trino."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from auditkit.model import Window, iso

UNNAMED = "(not told)"  # what stands for the file of rows whose engine does not tell it
PULLED = "pulled"  # the version of a file whose rows an engine gave: the file itself was never seen


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose events were asked for. Empty: everybody's."""

    services: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def as_json(self) -> str:
        """The same text for the same scope."""
        return json.dumps({name: sorted(values) for name, values in asdict(self).items()})

    @classmethod
    def of(cls, text: str) -> Scope:
        return cls(**{name: tuple(values) for name, values in json.loads(text).items()})

    def covers(self, other: Scope) -> bool:
        """Whether all that *other* asks for is part of this."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return all(not mine or (theirs and set(theirs) <= set(mine)) for mine, theirs in pairs)

    def with_services_of(self, other: Scope) -> Scope:
        both = self.services and other.services
        return replace(self, services=tuple(sorted({*self.services, *other.services})) if both else ())

    def __str__(self) -> str:
        named = (f"{name} {', '.join(values)}" for name, values in asdict(self).items() if values)
        return "; ".join(named) or "everything"


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One statement that brought the rows of one table for one window."""

    table: str
    window: Window  # with two sides
    engine: str
    source: str  # the engine's own table
    scope: Scope
    query_id: str | None
    estimated_bytes: int | None  # at most, before it ran
    bytes_scanned: int | None
    cost_usd: float | None
    duration_s: float
    pulled_at: datetime
    sql: str
    row_count: int

    def as_row(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        row = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("table", "window")}
        return row | {
            "table_name": self.table,
            "window_start": iso(self.window.start),
            "window_end": iso(self.window.end),
            "scope": self.scope.as_json(),
            "pulled_at": iso(self.pulled_at),
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Pull:
        kept = {field.name: row[field.name] for field in fields(cls) if field.name not in ("table", *_TOLD)}
        return cls(**kept | _told(row))


@dataclass(frozen=True, slots=True)
class PulledDay:
    """Where the rows of a day of a table are from."""

    table: str
    day: date
    window: Window
    engine: str
    source: str
    scope: Scope
    pulled_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PulledDay:
        day = date.fromisoformat(row["event_date"])
        return cls(day=day, engine=row["engine"], source=row["source"], **_told(row))


_TOLD = ("window", "scope", "pulled_at")


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of the ledger has as text."""
    return {
        "table": row["table_name"],
        "window": Window(datetime.fromisoformat(row["window_start"]), datetime.fromisoformat(row["window_end"])),
        "scope": Scope.of(row["scope"]),
        "pulled_at": datetime.fromisoformat(row["pulled_at"]),
    }


@dataclass(frozen=True, slots=True)
class PulledFile:
    """What one file of a trail or flow log contributed to a pull, told by the rows themselves."""

    key: str
    kind: str  # cloudtrail | flowlogs
    stored: int
    duplicates: int
