"""Which objects a window can touch: whole years, months and days of delivery are passed over without a request."""

from __future__ import annotations

import re
from calendar import monthrange
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

from auditkit.errors import SourceError
from auditkit.logs.s3.bucket import Bucket, split
from auditkit.logs.source import S3, STORE_LEDGER, SourceFile
from auditkit.model import Window

LISTINGS = 32  # requests at a time
SLACK = timedelta(days=1)  # nothing is delivered before it happened; it may be delivered late
# AWS's own layouts, and only they: a date elsewhere in a key may be the day of a copy. REGION/2026/11/02/ is a trail,
# a digest or a flow log, year=2026/month=11/day=02/ a flow log with Hive's names.
_DATED = re.compile(
    r"/(?:aws-region=)?[a-z]{2,}(?:-[a-z]+)+-\d+"
    r"/(?:year=)?(20\d\d)/(?:(?:month=)?(\d\d)/(?:(?:day=)?(\d\d)/)?)?"
)
_ACCOUNT = re.compile(r"(?:^|[/=])\d{12}/$")


def list_files(url: str, window: Window, profile: str | None = None) -> list[SourceFile]:
    """The objects at *url* that may hold something of *window*: those delivered from its first day to the day after
    its last, and those whose keys do not say when.

    *url* is a folder, with or without its last slash, or one object; never the beginning of a name:
    `s3://b/AWSLogs/1111` is not `s3://b/AWSLogs/11112222`. As on disk, hidden objects and stores are left out.
    Raises: SourceError, when nothing is there, or it may not be listed.
    """
    bucket, (_, place) = Bucket(url, profile), split(url)
    found = []
    folder = place
    if place and not place.endswith("/"):
        folder += "/"
        found = [file for file in next(bucket.pages(place, page=1)).files if _key(file) == place]
    days = Days.of(window)
    found += _walk(bucket, folder, days)
    if not found and not next(bucket.pages(folder, page=1)).files:
        raise SourceError(f"There is nothing under {S3}{bucket.name}/{folder}. Is the prefix spelled right?")
    return _without_hidden(found, folder)


@dataclass(frozen=True, slots=True)
class Days:
    """Days of delivery, both included; None leaves a side open."""

    first: date | None
    last: date | None

    @classmethod
    def of(cls, window: Window) -> Days:
        return cls(window.start.date() if window.start else None, window.end.date() + SLACK if window.end else None)

    def miss(self, span: tuple[date, date]) -> bool:
        return bool((self.first and span[1] < self.first) or (self.last and span[0] > self.last))

    def hold(self, span: tuple[date, date]) -> bool:
        return not ((self.first and span[0] < self.first) or (self.last and span[1] > self.last))


def span_of(key: str) -> tuple[date, date] | None:
    """First and last day that a key or prefix stands for: a year, a month or a day; None, when it does not say."""
    matches = _DATED.findall("/" + key)
    if not matches:
        return None
    year, month, day = (int(digits or 0) for digits in matches[-1])  # the last one is nearest to the file
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    last_month = month or 12
    return first, date(year, last_month, day or monthrange(year, last_month)[1])


def _walk(bucket: Bucket, folder: str, days: Days) -> list[SourceFile]:
    """Level by level, many folders at a time, down to where a folder's days are all wanted: that is listed flat."""
    found: list[SourceFile] = []
    level = [folder]
    with ThreadPoolExecutor(LISTINGS) as pool:
        while level:
            deeper: list[str] = []
            for files, folders in pool.map(lambda prefix: _look(bucket, prefix, days), level):
                found += files
                deeper += folders
            level = deeper
    return found


def _look(bucket: Bucket, folder: str, days: Days) -> tuple[list[SourceFile], list[str]]:
    """The objects to take from a folder, and the folders to look into."""
    span = span_of(folder)
    if span and days.miss(span):
        return [], []
    if span and days.hold(span):
        return list(bucket.list(folder)), []
    files: list[SourceFile] = []
    folders: list[str] = []
    for page in bucket.pages(folder, delimiter="/"):
        files += page.files
        folders += page.folders
        if not page.is_last and not (page.folders and all(map(_ACCOUNT.search, page.folders))):
            # More than a page, and no accounts: nothing of AWS's making. A request for each folder could be millions.
            return [file for file in bucket.list(folder) if not _misses(file, days)], []
    return files, folders


def _misses(file: SourceFile, days: Days) -> bool:
    span = span_of(_key(file))
    return span is not None and days.miss(span)


def _without_hidden(files: list[SourceFile], folder: str) -> list[SourceFile]:
    """Without names that begin with a dot, the empty objects that stand for folders, and stores."""
    stores = tuple(file.key.removesuffix(STORE_LEDGER) for file in files if file.key.endswith(f"/{STORE_LEDGER}"))
    return [
        file
        for file in files
        if not (
            (file.size == 0 and file.key.endswith(("/", "_$folder$")))
            or file.key.startswith(stores)
            or any(part.startswith(".") for part in _key(file).removeprefix(folder).split("/"))
        )
    ]


def _key(file: SourceFile) -> str:
    return split(file.key)[1]
