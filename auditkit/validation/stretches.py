"""Spans of time laid end to end: what digests cover, and the holes between."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

Span = tuple[datetime, datetime]  # from, and before


class Stretches:
    """The union of half-open spans, oldest first."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: list[Span] = []
        for start, end in sorted(spans):
            if self.spans and start <= self.spans[-1][1]:
                self.spans[-1] = self.spans[-1][0], max(end, self.spans[-1][1])
            else:
                self.spans.append((start, end))

    def around(self, moment: datetime) -> Span | None:
        """The stretch that *moment* lies in."""
        at = bisect_right(self.spans, moment, key=lambda span: span[0]) - 1
        return self.spans[at] if at >= 0 and moment < self.spans[at][1] else None

    def overlaps(self, start: datetime, end: datetime) -> bool:
        at = bisect_right(self.spans, start, key=lambda span: span[1])
        return at < len(self.spans) and self.spans[at][0] < end

    def holes(self, start: datetime, end: datetime) -> Iterator[Span]:
        """What of `[start, end)` no span covers."""
        for covered_from, covered_to in self.spans:
            if covered_from > start and start < end:
                yield start, min(covered_from, end)
            start = max(start, covered_to)
        if start < end:
            yield start, end
