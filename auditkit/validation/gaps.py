"""Time without a digest: a trail that was stopped and started again, and hours whose digest is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from auditkit.model import Window
from auditkit.validation.names import Chain
from auditkit.validation.stretches import Span, Stretches
from auditkit.validation.verification import Gap, GapKind


@dataclass(frozen=True, slots=True)
class Hour:
    """A digest of a chain, as far as time goes."""

    end: datetime  # by its name
    span: Span | None  # what it covers; None for one that is invalid
    begins: bool  # it names none before it


def gaps(chain: Chain, hours: Sequence[Hour], window: Window) -> Iterator[Gap]:
    """The gaps of a chain, newest first, restarts before the rest. *hours* are newest first."""

    def gap(kind: GapKind, start: datetime, end: datetime) -> Gap:
        scope = chain.scope
        return Gap(account_id=scope.account_id, region=scope.region, trail=chain.trail, kind=kind, start=start, end=end)

    restarts = [(older.end, newer.span[0]) for newer, older in pairwise(hours) if newer.span and newer.begins]
    yield from (gap("restart", start, end) for start, end in restarts)
    if chain.backfill:  # it goes over hours that the main chain covers, and over no others
        return
    covered = [hour.span for hour in hours if hour.span]
    start = window.start or min([hour.end for hour in hours] + [span[0] for span in covered])
    end = window.end or max(hour.end for hour in hours)
    explained = [span for span in restarts if span[0] < span[1]]
    yield from (gap("no digest", *hole) for hole in Stretches(covered + explained).holes(start, end))
