"""What a statement will read at most, and what Athena asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.filesize import decimal

from auditkit.engines.partitions import days_of
from auditkit.engines.tables import Limits, StoredTable
from auditkit.errors import AuditkitError, ParameterError
from auditkit.logs import keys
from auditkit.logs.discover import discover
from auditkit.logs.source import SourceFile, is_remote
from auditkit.model import Window, counted

TERABYTE = 10**12
LEAST_BYTES = 10_000_000  # of one statement, that Athena charges
USUAL_PRICE = 5.00  # dollars a terabyte read
# Regions whose price differs, as it was in 2026. Prices change: the Athena pricing page is the truth.
_PRICES = {"sa-east-1": 9.00, "us-gov-west-1": 5.75, "us-gov-east-1": 5.75, "us-west-1": 6.75, "eu-central-2": 5.50}
_DAY = re.compile(r"/(?:event_date|eventDay)=(\d{4})-?(\d\d)-?(\d\d)/")  # of a store, of Security Lake
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a statement reads at most; `bytes` is None when that cannot be told, and `because` says why."""

    bytes: int | None
    files: int | None = None
    because: str = ""
    is_bound: bool = True  # it will not be more

    def times(self, number: int) -> Estimate:
        """Read so often."""
        return replace(self, bytes=None if self.bytes is None else self.bytes * number)

    def __add__(self, other: Estimate) -> Estimate:
        known = self.bytes is not None and other.bytes is not None
        files = None if self.files is None or other.files is None else self.files + other.files
        because = "; ".join(dict.fromkeys(filter(None, (self.because, other.because))))
        size = (self.bytes or 0) + (other.bytes or 0) if known else None
        return Estimate(size, files, because, self.is_bound and other.is_bound)

    def __str__(self) -> str:
        if self.bytes is None:
            return f"an unknown number of bytes: {self.because}"
        return f"{'at most' if self.is_bound else 'about'} {decimal(self.bytes)}" + (
            f" in {counted(self.files, 'object')}" if self.files else ""
        )


NOTHING = Estimate(0, 0)


def price_per_tb(region: str | None) -> float:
    """Dollars that Athena asks for each terabyte it reads in *region*."""
    return _PRICES.get(region or "", USUAL_PRICE)


def cost_usd(bytes_scanned: int, region: str | None) -> float:
    """Dollars for one statement that read so much; nothing for one whose result was used again."""
    return max(bytes_scanned, LEAST_BYTES if bytes_scanned else 0) / TERABYTE * price_per_tb(region)


def size_of(text: str) -> int:
    """Bytes from `50GB`, `1.5 TiB`, `800MB` or a plain number. Raises: ParameterError."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ParameterError(f"{text!r} is not a size. Write 50GB, 1.5TB or a number of bytes.")
    power = " kmgtp".index(match[2].lower() or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def listed(
    table: StoredTable,
    window: Window,
    limits: Limits,
    *,
    profile: str | None = None,
    find: Callable[..., list[SourceFile]] = discover,
) -> Estimate:
    """The objects of *table* that *window* and *limits* can touch, by listing them: a few requests, no scan."""
    if not table.location or not is_remote(table.location):
        where = f"is at {table.location}, not in S3" if table.location else "does not say where it is"
        return Estimate(None, because=f"{table} {where}")
    try:
        files = find([table.location], window, profile=profile)
    except AuditkitError as error:
        return Estimate(None, because=f"the objects of {table} cannot be listed ({error})")
    days = {day.isoformat() for day in days_of(window)}
    mine = [file for file in files if _is_touched(file.key, days, limits)]
    return Estimate(sum(file.size for file in mine), len(mine))


def _is_touched(key: str, days: set[str], limits: Limits) -> bool:
    if (day := _DAY.search(key)) and "-".join(day.groups()) not in days:
        return False
    said = keys.parse(key)
    if said is None:
        return True
    accounts, regions = limits.accounts, limits.regions
    return not (
        (accounts and said.account_id and said.account_id not in accounts)
        or (regions and said.region and said.region not in regions)
    )
