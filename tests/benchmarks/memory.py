"""How much memory an ingest takes: of many events, and of one huge file.

    python -m tests.benchmarks.memory [EVENTS] [DOCUMENT_MB]

Also measured: four times the events, and a file of a tenth of the size. Of the two figures RSS counts what processes
share once for each of them; what it is too much by PSS tells. The one that is held against the reach is named there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.generate import write_documents, write_trail
from tests.benchmarks.measure import Peak, peak
from tests.benchmarks.table import Desk, Line, counted, main

MANY_MIB, HUGE_MIB = 512, 1024


def measure(desk: Desk, *, events: int, document_mb: int) -> Iterator[Line]:
    for number in (events, 4 * events):
        logs = desk.logs(f"trail-{number}", partial(write_trail, events=number))
        desk.say(f"memory of {counted(number)} events")
        yield _line(f"memory: {counted(number)} events", peak("ingest", logs, desk.fresh("memory")), MANY_MIB)
    documents = {
        "tenth.json.gz": (document_mb / 10, "one document, gz", MANY_MIB),
        "whole.json.gz": (document_mb, "one document, gz", HUGE_MIB),
        "whole.json": (document_mb, "one document", HUGE_MIB),
        "whole.jsonl": (document_mb, "an event a line", HUGE_MIB),
    }
    sizes = {name: int(mb * 1e6) for name, (mb, _, _) in documents.items()}
    folder = desk.logs(f"documents-{document_mb}", partial(write_documents, text_bytes=sizes))
    for name, (mb, what, reach_mib) in documents.items():
        desk.say(f"memory of {what}, {mb:g} MB")
        yield _line(f"  {mb:g} MB, {what}", peak("ingest", folder / name, desk.fresh("memory")), reach_mib)


def _line(what: str, held: Peak, reach: int) -> Line:
    """Held against the reach is RSS if that fits, since nobody can doubt it; else PSS."""
    kind, value = ("RSS", held.rss) if held.rss <= reach else ("PSS", held.pss)
    return Line(what, f"RSS {held.rss:.0f}, PSS {held.pss:.0f} MiB", f"<= {reach} MiB {kind}", value <= reach)


if __name__ == "__main__":
    main(measure, __doc__, events=1_000_000, document_mb=500)
