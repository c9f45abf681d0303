"""All benchmarks, as one table.

    python -m tests.benchmarks [EVENTS] [RUNS] [--keep DIR]

Nothing here fails because it is slow: a table says what was measured and what is to be reached. See docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import flows, ingest, joins, memory, questions, s3, tiny
from tests.benchmarks.table import Desk, Line, main


def measure(desk: Desk, *, events: int, runs: int) -> Iterator[Line]:
    """Everything in the proportions of a million events."""
    yield from ingest.measure(desk, events=events, runs=runs)
    yield from memory.measure(desk, events=events, document_mb=max(1, events // 2_000))
    yield from flows.measure(desk, lines=events * 5, runs=runs)
    yield from tiny.measure(desk, tiny=max(FEWEST, events // 100), runs=runs)
    yield from questions.measure(desk, events=events)
    yield from joins.measure(desk, joined=events, runs=runs)
    yield from s3.measure(desk, objects=max(FEWEST, events // 200), latency_ms=30, runs=runs)


FEWEST = 20  # files and objects, of which some thousands are worth measuring

if __name__ == "__main__":
    main(measure, __doc__, events=1_000_000, runs=3)
