"""What came of holding log files against their digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from auditkit.model import Window, counted, iso

Kind = Literal["digest", "log"]
Verdict = Literal["valid", "invalid", "missing", "unlisted", "unchecked"]

_NOUN: dict[Kind, str] = {"log": "log file", "digest": "digest"}
_FAULTS: dict[tuple[Kind, Verdict], str] = {
    ("log", "invalid"): "changed",
    ("log", "missing"): "gone",
    ("log", "unlisted"): "in no digest",
    ("digest", "invalid"): "not valid",
    ("digest", "missing"): "gone",
}
GapKind = Literal["restart", "no digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A digest or log file that is not simply as it should be."""

    object: str  # a path on disk or s3://BUCKET/KEY
    kind: Kind
    account_id: str
    region: str
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Time for which a trail has no digest that can be trusted. It may be rightly so: a trail can be stopped."""

    account_id: str
    region: str
    trail: str
    kind: GapKind
    start: datetime
    end: datetime

    @property
    def message(self) -> str:
        span = f"between {self.start:%Y-%m-%d %H:%M} and {self.end:%Y-%m-%d %H:%M} UTC"
        if self.kind == "restart":
            return f"no log files were delivered {span}: the chain of digests begins anew behind it"
        return f"no valid digest covers the time {span}"


@dataclass(slots=True)
class Verification:
    """All verdicts. `problems` are what a digest or log file was found guilty of."""

    window: Window
    digests: Counter[str] = field(default_factory=Counter)  # valid, invalid (gone ones among them), unchecked
    logs: Counter[str] = field(default_factory=Counter)
    """valid (unproven: of those, how many only a digest vouches for whose signature could not be checked), invalid,
    missing, unlisted, unchecked (could not be read), uncovered (no good digest covers their time)."""
    problems: list[Judgement] = field(default_factory=list)
    unchecked: list[Judgement] = field(default_factory=list)  # could not be told
    gaps: list[Gap] = field(default_factory=list)
    unread: int = 0  # digests and log files that are there and cannot be read
    outside: int = 0  # digests that cover nothing of the window
    others: int = 0  # files that are neither a digest nor in a folder of log files
    elsewhere: set[str] = field(default_factory=set)  # buckets in which a chain goes on, before this one
    start: datetime | None = None  # what the valid and unchecked digests cover: from the first
    end: datetime | None = None  # to the last

    @property
    def valid(self) -> bool:
        """Nothing is invalid, missing or unlisted, all files could be read, and at least one signature was checked."""
        return not self.problems and not self.unread and self.digests["valid"] > 0

    def cover(self, start: datetime, end: datetime) -> None:
        self.start = min(start, self.start or start)
        self.end = max(end, self.end or end)

    @property
    def sentence(self) -> str:
        """The verdict as a person would give it."""
        if not self.digests.total():
            if self.outside:
                return f"None of {counted(self.outside, 'digest')} covers the window: nothing was verified."
            return "There are no digests here: nothing was verified."
        if self.problems:
            return f"The logs are not as CloudTrail delivered them: {', '.join(self._faults())}."
        checked = counted(self.digests["valid"], "digest")
        logs = self.logs["valid"]
        if not self.digests["valid"]:
            return f"Nothing is proven: no signature could be checked. Log files that match: {logs:,}."
        if self.unread:
            return f"Not finished: {counted(self.unread, 'file')} could not be read. Log files that match: {logs:,}."
        if not logs:
            return f"CloudTrail delivered no log files: {checked}, signed by CloudTrail, list none."
        if unproven := self.logs["unproven"]:
            return (
                f"Nothing was found changed: {logs - unproven:,} of {counted(logs, 'log file')} are as CloudTrail "
                f"delivered them; {unproven:,} match a digest whose own signature could not be checked."
            )
        every = "The one log file" if logs == 1 else f"Every one of {counted(logs, 'log file')}"
        return f"{every} is as CloudTrail delivered it: {checked}, signed by CloudTrail."

    def _faults(self) -> list[str]:
        tally = Counter((problem.kind, problem.verdict) for problem in self.problems)
        return [f"{counted(tally[fault], _NOUN[fault[0]])} {word}" for fault, word in _FAULTS.items() if tally[fault]]

    def as_json(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "verdict": self.sentence,
            "window": self.window.as_json(),
            "covered": {"start": iso(self.start), "end": iso(self.end)},
            "digests": _named(self.digests, "valid", "invalid", "unchecked"),
            "logs": _named(self.logs, "valid", "invalid", "missing", "unlisted", "unchecked", "unproven", "uncovered"),
            "gaps": [{**asdict(gap), "message": gap.message} for gap in self.gaps],
            "problems": [asdict(problem) for problem in self.problems],
            "unchecked": [asdict(one) for one in self.unchecked],
            "elsewhere": sorted(self.elsewhere),
        }


def _named(counts: Mapping[str, int], *names: str) -> dict[str, int]:
    return {name: counts[name] for name in names}
