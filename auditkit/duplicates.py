"""Each event once: CloudTrail delivers some twice, and overlapping trails deliver every one twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.parquet as pq

from auditkit.fingerprints import Fingerprints, fingerprints
from auditkit.logs import arrays

MOST_KEPT = 1_000_000  # fingerprints in memory, 16 MB; those of the days that came up last stay


class Holder(Protocol):
    """What may hold events already: a store."""

    def parts_of_day(self, table: str, day: date) -> Sequence[Path]: ...


class SeenEvents:
    """Which events the store holds: their fingerprints, day by day, read from it when a day comes up.

    Days that were not asked about for long are let go, and read again should they come back.
    """

    def __init__(self, store: Holder) -> None:
        self._store = store
        self._days: OrderedDict[int, _Day] = OrderedDict()

    def fresh(self, days: Any, prints: Fingerprints, *, batch: int = 0) -> Any:
        """Mask of the events that neither the store nor an earlier call nor an earlier row holds.

        *days* has the number of each event's day since 1970, *batch* the number of the commit that will store them.
        """
        fresh = _first_of_each(prints)
        for number in np.unique(days):
            of_day = np.flatnonzero((days == number) & fresh)
            day = self._day(int(number))
            known = day.holds(prints.of(of_day))
            fresh[of_day[known]] = False
            day.add(prints.of(of_day[~known]))
            day.batch = batch
        return fresh

    def let_go(self, committed: int) -> None:
        """Forget the days that came up longest ago, where all batches they stand in, before *committed*, are stored."""
        kept = sum(day.size for day in self._days.values())
        while kept > MOST_KEPT and (oldest := next(iter(self._days.values()))).batch < committed:
            self._days.popitem(last=False)
            kept -= oldest.size

    def _day(self, number: int) -> _Day:
        if number not in self._days:
            self._days[number] = _Day()
            for part in self._store.parts_of_day("cloudtrail_events", arrays.day(number)):
                rows = pq.ParquetFile(part).read(columns=["event_id", "account_id"])
                self._days[number].add(fingerprints(rows["event_id"], rows["account_id"]))
        self._days.move_to_end(number)
        return self._days[number]


class _Day:
    """The fingerprints of one day: a few sorted runs, each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[Fingerprints] = []
        self.batch = 0  # the last that asked

    @property
    def size(self) -> int:
        return sum(len(run.high) for run in self._runs)

    def holds(self, asked: Fingerprints) -> Any:
        """Mask of the fingerprints that are there."""
        held = np.zeros(len(asked.high), bool)
        for run in self._runs:
            at = np.searchsorted(run.high, asked.high)
            for candidates, places in _equal_highs(run.high, at, asked.high):
                held[candidates] |= run.low[places] == asked.low[candidates]
        return held

    def add(self, new: Fingerprints) -> None:
        self._runs.append(_sorted(new))
        while len(self._runs) > 1 and len(self._runs[-2].high) < 2 * len(self._runs[-1].high):
            shorter, longer = self._runs.pop(), self._runs.pop()
            both = (np.concatenate(halves) for halves in zip(longer, shorter, strict=True))
            self._runs.append(_sorted(Fingerprints(*both)))


def _equal_highs(highs: Any, at: Any, asked: Any) -> Iterator[tuple[Any, Any]]:
    """The asked that stand in *highs*, with their places; once more for each that stands there several times."""
    candidates = np.arange(len(asked))
    while len(candidates):
        inside = at < len(highs)
        candidates, at = candidates[inside], at[inside]
        equal = highs[at] == asked[candidates]
        candidates, at = candidates[equal], at[equal]
        yield candidates, at
        at = at + 1


def _sorted(prints: Fingerprints) -> Fingerprints:
    return prints.of(np.argsort(prints.high, kind="stable"))


def _first_of_each(prints: Fingerprints) -> Any:
    """Mask of the first row of each fingerprint."""
    first = np.ones(len(prints.high), bool)
    in_order = np.sort(prints.high)
    if (in_order[1:] != in_order[:-1]).all():  # as nearly always, and sooner known
        return first
    order = np.lexsort((prints.low, prints.high))  # equal ones keep the order of their rows
    high, low = prints.of(order)
    first[order[1:]] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    return first
