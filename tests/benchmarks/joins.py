"""Rejects joined with events: how long and in how much memory, next to a plain scan of the same rows; and of a tenth.

    python -m tests.benchmarks.joins [EVENTS] [RUNS]

To each event there are ten flow records. The floor reads every column that the join looks at, once, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.crossing import write_flow_parts, write_network_trail
from tests.benchmarks.generate import write_trail
from tests.benchmarks.measure import in_turn, medians, peak, ratio, used
from tests.benchmarks.synthetic import DAYS
from tests.benchmarks.table import Desk, Line, at_most, counted, main, processors

ASKED = "network/rejects_and_events"
REACH_S, REACH_MIB, OF = 20, 512, 1_000_000  # that many events with ten times the flow records, on two processors


def measure(desk: Desk, *, joined: int, runs: int) -> Iterator[Line]:
    few, many = max(1, joined // 10), joined
    took_s = {}
    for events in (few, many):
        took_s[events], lines = _joined(desk, events, runs)
        yield from lines
    yield Line(f"  {many / few:.0f} times the rows take", f"{took_s[many] / took_s[few]:.1f} times as long")


def _joined(desk: Desk, events: int, runs: int) -> tuple[float, list[Line]]:
    """Seconds by the clock, and what else there is to tell."""
    trail = desk.logs(f"trail-{events}", partial(write_trail, events=events))
    network = desk.logs(f"network-{events}", partial(write_network_trail, events=max(DAYS, events // 50)))
    flows = desk.logs(f"flow-parts-{events}", partial(write_flow_parts, records=10 * events))
    store = desk.fresh(f"joined-{events}")
    used("ingest", trail, store)
    used("ingest", network, store)
    desk.say(f"rejects and events of {counted(events)} events, {counted(10 * events)} flow records")
    sides = {
        "scan": lambda _: used("scan", store, flows),
        "join": lambda _: used("ask", ASKED, store, flows),
    }
    taken = in_turn(sides, runs)
    scan, join = medians(taken["scan"]), medians(taken["join"])
    over = ratio([run.wall_s for run in taken["join"]], [run.wall_s for run in taken["scan"]])
    what = f"rejects x events: {counted(events)} x {counted(10 * events)}"
    lines = [
        at_most(what, join.wall_s, REACH_S, "{:.1f} s", f"{join.cpu_s:.1f} s CPU"),
        Line("  wall of the join / of a plain scan", f"{over:.1f} x, {join.wall_s:.1f} / {scan.wall_s:.2f} s"),
        at_most("  memory, RSS", peak("ask", ASKED, store, flows).rss, REACH_MIB, "{:.0f} MiB"),
    ]
    whole = events == OF and processors() == 2
    return join.wall_s, lines if whole else [line._replace(ok=None) for line in lines]


if __name__ == "__main__":
    main(measure, __doc__, joined=1_000_000, runs=3)
