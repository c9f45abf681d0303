"""How long an answer takes from a store, before and after its days are compact: here, warm, the median of seven.

python -m tests.benchmarks.questions [EVENTS]
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from auditkit.catalogue import Catalogue
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.model import Window
from auditkit.rules import evaluate
from auditkit.store import Store
from tests.benchmarks.generate import write_trail
from tests.benchmarks.measure import used
from tests.benchmarks.synthetic import DAYS, FIRST_DAY
from tests.benchmarks.table import Desk, Line, at_most, counted, main

ASKED = 7  # times
ERRORS = """
SELECT principal_arn, error_code, count(*) AS event_count, max(event_time) AS last_seen
FROM cloudtrail_events
WHERE error_code IS NOT NULL
GROUP BY principal_arn, error_code
ORDER BY event_count DESC, principal_arn, error_code
LIMIT 100
"""
ONE_ID = "SELECT max(event_id) AS event_id FROM cloudtrail_events"


def measure(desk: Desk, *, events: int) -> Iterator[Line]:
    logs, store = desk.logs(f"trail-{events}", partial(write_trail, events=events)), desk.fresh("asked")
    used("ingest", logs, store)
    desk.say(f"questions of {counted(events)} events")
    yield from _asked(store, f"{counted(events)} events as ingested")
    used("compact", store)
    desk.say("questions of the same, compact")
    yield from _asked(store, "the same, compact")


def _asked(store: Path, state: str) -> Iterator[Line]:
    parts = Store(store).parts()
    catalogue, engine = Catalogue.load(), DuckDBEngine(parts)
    day = Window(FIRST_DAY + timedelta(days=DAYS // 2), FIRST_DAY + timedelta(days=DAYS // 2 + 1))
    by_identity, by_id = catalogue.get("activity/by_identity"), catalogue.get("activity/events_by_id")
    event_id = engine.run(ONE_ID).table["event_id"][0].as_py()
    matches = [query.rule for query in catalogue.rules if query.kind == "match"]
    yield Line(f"answers from {state}", f"{len(parts['cloudtrail_events']):,} parts")
    yield _line("one day by identity", 30, lambda: engine.run(by_identity.sql, by_identity.bind({}), window=day))
    yield _line(f"{DAYS} days of errors", 60, lambda: engine.run(ERRORS))
    yield _line("one event id", 20, lambda: engine.run(by_id.sql, by_id.bind({"ids": [event_id]})))
    yield _line(f"{len(matches)} match rules in one scan", None, lambda: evaluate(engine, catalogue, rules=matches))
    yield _line(f"all {len(catalogue.rules)} rules", None, lambda: evaluate(engine, catalogue))


def _line(what: str, reach_ms: float | None, ask: Callable[[], object]) -> Line:
    first, *warm = (_timed_ms(ask) for _ in range(ASKED + 1))
    line = at_most(f"  {what}", median(warm), reach_ms or 0, "{:.0f} ms", f"first {first:.0f}")
    return line if reach_ms else Line(line.what, line.measured)


def _timed_ms(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main(measure, __doc__, events=1_000_000)
