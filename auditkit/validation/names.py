"""What the name of a digest or a log file tells: whose it is, and when it was delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DIGEST = re.compile(
    r"(?P<account>\d{12})_CloudTrail-Digest_(?P<region>[^_/]+)_(?P<trail>[^/]+)_(?P<home>[^_/]+)"
    r"_(?P<end>\d{8}T\d{6})Z(?P<backfill>_backfill)?\.json\.gz"
)
_FOLDER = re.compile(
    r"(?:(?P<tree>.*)/)?(?P<account>\d{12})/(?P<kind>CloudTrail(?:-[^/]+)?)/(?P<region>[^/]+)/(?P<rest>.+)"
)
_NAME = re.compile(r"(?P<account>\d{12})_(?P<kind>CloudTrail(?:-[^_/]+)?)_(?P<region>[^_/]+)_\d{8}T\d{4}Z_[^/]*")
_MINUTE = re.compile(r"_(\d{8}T\d{4})Z_")
_DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)/")
DIGESTS = "CloudTrail-Digest"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """An account and region of one delivery: log files lie in its folder whichever trail they come from."""

    tree: str  # the folders above the account's; the same account may be in several buckets
    account_id: str
    region: str


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """Digests that name each other, each the one before it. Backfill digests have a chain of their own."""

    scope: Scope
    trail: str
    home_region: str
    backfill: bool


@dataclass(frozen=True, slots=True)
class DigestName:
    chain: Chain
    end: datetime


@dataclass(frozen=True, slots=True)
class LogName:
    scope: Scope
    kind: str  # CloudTrail, CloudTrail-Insight, …
    start: datetime | None  # delivered from here on; None when neither name nor folder tells
    end: datetime | None  # and before this: a minute later by name, a day by folder

    @property
    def is_day(self) -> bool:
        return self.start is not None and self.end is not None and self.end - self.start > timedelta(minutes=1)


def digest_name(path: str) -> DigestName | None:
    """What the name of a digest tells; None for a file that is not named like one."""
    match = _DIGEST.fullmatch(path.rpartition("/")[2])
    end = _moment(match["end"], "%Y%m%dT%H%M%S") if match else None
    if not match or not end:
        return None
    scope = Scope(_tree(path), match["account"], match["region"])
    return DigestName(Chain(scope, match["trail"], match["home"], bool(match["backfill"])), end)


def log_name(path: str) -> LogName | None:
    """Whose log file lies at *path*; None outside CloudTrail's folders, unless the file is named like a log."""
    match = _FOLDER.fullmatch(path) or _NAME.fullmatch(path.rpartition("/")[2])
    if not match or match["kind"] == DIGESTS:
        return None
    start = end = None
    if minute := _MINUTE.search(path.rpartition("/")[2]):
        start = _moment(minute[1], "%Y%m%dT%H%M")
        end = start and start + timedelta(minutes=1)
    if not start and (day := _DAY.search(path)):
        start = _moment("".join(day.groups()), "%Y%m%d")
        end = start and start + timedelta(days=1)
    return LogName(Scope(_tree(path), match["account"], match["region"]), match["kind"], start, end)


def _tree(path: str) -> str:
    match = _FOLDER.fullmatch(path)
    return (match["tree"] or "") if match else ""


def _moment(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:  # 2026/13/45
        return None
