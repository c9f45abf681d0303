"""The values that travel between the parts: Window, Parameter, Result, Finding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from auditkit.errors import WindowError

if TYPE_CHECKING:  # importing pandas costs more than reading a small folder of logs does
    import pandas as pd

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")

Outcome = Literal["ok", "denied", "error"]
Value = str | int | float | bool | datetime | list[Any] | None  # what a query parameter may hold

_RELATIVE = re.compile(r"(\d+)\s*([mhdw])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def at_least(severity: Severity, floor: Severity) -> bool:
    """Whether *severity* is as bad as *floor*, or worse."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)


def one_lower(severity: Severity) -> Severity:
    """The next milder severity: what an attempt weighs against the deed."""
    return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)]


def parse_age(text: str) -> timedelta | None:
    """The length of an age such as `90m`, `12h`, `7d`, `2w`; None for other text."""
    match = _RELATIVE.fullmatch(text.strip())
    return timedelta(**{_UNIT[match[2]]: int(match[1])}) if match else None


def parse_time(text: str, *, now: datetime) -> datetime:
    """A moment in UTC from ISO text (`2026-11-01`, `2026-11-01T09:00+09:00`) or an age (`90m`, `12h`, `7d`, `2w`).

    Text without an offset is UTC. An age counts back from *now*, which must be aware.
    Raises: WindowError, when the text is neither.
    """
    if (age := parse_age(text)) is not None:
        return now.astimezone(UTC) - age
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WindowError(
            f"{text!r} is not a time. Use ISO (2026-11-01, 2026-11-01T09:00+09:00) or an age (12h, 7d)."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open span of time `[start, end)` in UTC, on event time. None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for side in (self.start, self.end):
            if side is not None and side.tzinfo is None:
                raise WindowError(f"{side} has no time zone; a window is in UTC.")
        if self.start and self.end and self.start >= self.end:
            raise WindowError(f"The window ends ({self.end:%F %T}Z) before it starts ({self.start:%F %T}Z).")

    @classmethod
    def parse(cls, since: str | None, until: str | None, *, now: datetime) -> Window:
        """A window from the words of `--since` and `--until`; empty text leaves a side open."""
        return cls(
            parse_time(since, now=now) if since else None,
            parse_time(until, now=now) if until else None,
        )

    def __str__(self) -> str:
        """Words that fit behind "in": `2026-11-01 00:00:00 to 2026-11-02 00:00:00 UTC`, `the whole of the logs`."""
        start, end = (f"{side:%Y-%m-%d %H:%M:%S}" if side else "" for side in (self.start, self.end))
        if start and end:
            return f"{start} to {end} UTC"
        if start or end:
            return f"the time from {start} UTC on" if start else f"the time before {end} UTC"
        return "the whole of the logs"

    def touches(self, other: Window) -> bool:
        """Whether any moment lies in both."""
        starts_in_time = self.start is None or other.end is None or self.start < other.end
        return starts_in_time and (self.end is None or other.start is None or other.start < self.end)

    def as_json(self) -> dict[str, str | None]:
        return {"start": iso(self.start), "end": iso(self.end)}


def counted(number: int, noun: str) -> str:
    """`1 finding`, `2,000 findings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def iso(moment: datetime | None) -> str | None:
    """`2026-11-01T09:00:00Z`, with fractions of a second only where there are any."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value on its way into SQL, with the Trino type it is bound as (`varchar`, `bigint`, `array(varchar)`, …)."""

    type: str
    value: Value


@dataclass(frozen=True, slots=True)
class Running:
    """A statement that Athena or Trino is at work on. `bytes_scanned` is what it has read so far."""

    engine: str
    query_id: str
    state: str  # as the engine calls it: QUEUED, RUNNING, …
    elapsed_s: float
    bytes_scanned: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What one statement gave. Timestamps are UTC without a zone; `frame()` makes them aware."""

    table: pa.Table
    sql: str  # Trino SQL with its parameters filled in: what was asked, whichever engine answered
    engine: str
    duration_s: float
    query_id: str | None = None
    bytes_scanned: int | None = None
    cost_usd: float | None = None

    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame; timestamps aware (UTC), NULL as NaN, NaT or None."""
        frame: pd.DataFrame = self.table.to_pandas()
        for field in self.table.schema:
            if pa.types.is_timestamp(field.type):
                frame[field.name] = frame[field.name].dt.tz_localize("UTC")
        return frame


Ask = Callable[..., Result]  # Audit.ask: a question of the catalogue by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule firing for one principal, account and (where it matters) resource in one window. Times are aware UTC."""

    id: str  # the same for the same rule, principal, account and resource in every run
    rule: str
    title: str
    severity: Severity
    outcome: Outcome  # ok when at least one of the events succeeded
    principal_arn: str | None
    account_id: str | None
    resource: str | None
    first_seen: datetime
    last_seen: datetime
    event_count: int
    failed_count: int  # of those, how many were denied or failed
    source_ips: tuple[str, ...]  # sorted
    evidence: tuple[str, ...]  # every event id, oldest first; of flow records the first 100 flows
    summary: str  # one sentence a manager understands
    why: str
    response: str
    false_positives: str
    blind_spots: str
    attack: tuple[str, ...]
    pci: tuple[str, ...]
    cis: tuple[str, ...]
    sql: str  # the rule as it ran
    event_names: tuple[str, ...] = ()  # the calls, sorted, where the rule tells them
    hands: tuple[
        str, ...
    ] = ()  # whose hands made them, sorted: `person`, `automation`, `workload`, `service`, `unknown`
    judgement: tuple[str, ...] = ()  # sentences: what makes the severity differ from the rule's
    author: str | None = None  # of the rule, where its licence asks for the name
    # what each of source_ips is called, in their order; empty without networks.toml and MaxMind files
    places: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values: times as ISO text, tuples as lists."""
        record = asdict(self)
        record["first_seen"], record["last_seen"] = iso(self.first_seen), iso(self.last_seen)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in record.items()}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then what succeeded before what was tried, then time."""
    return sorted(
        findings,
        key=lambda f: (-SEVERITIES.index(f.severity), f.outcome != "ok", f.first_seen, f.rule, f.id),
    )
