"""CloudTrail into a store: how fast, next to inflating the same files, and how large it becomes.

    python -m tests.benchmarks.ingest [EVENTS] [RUNS]

The floor is what no reader can avoid: read the files and inflate them with isal, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.entropy import incompressible
from tests.benchmarks.generate import write_trail
from tests.benchmarks.measure import in_turn, medians, ratio, used
from tests.benchmarks.table import Desk, Line, at_most, counted, files, main, processors, size, stored


def measure(desk: Desk, *, events: int, runs: int) -> Iterator[Line]:
    logs = desk.logs(f"trail-{events}", partial(write_trail, events=events))
    written = files(logs)
    gz = size(written)
    listed, store = desk.listed(logs), desk.fresh("trail")
    desk.say(f"ingest of {counted(events)} events")
    taken = in_turn(
        {
            "floor": lambda _: used("gunzip", listed),
            "ingest": lambda _: used("ingest", logs, desk.fresh("trail")),
        },
        runs,
    )
    floor, mine = medians(taken["floor"]), medians(taken["ingest"])
    cpu = [run.cpu_s for run in taken["ingest"]]
    named = f"{counted(events)} events in {len(written):,} files, {gz / 1e6:.0f} MB gz"
    yield Line(f"CloudTrail: {named}", f"{events / mine.wall_s / 1e3:.0f} k events/s")
    yield at_most(
        "  CPU of ingest / of bare isal gunzip",
        ratio(cpu, [run.cpu_s for run in taken["floor"]]),
        7,
        "{:.1f} x",
        f"{mine.cpu_s:.1f} / {floor.cpu_s:.2f} s",
    )
    wall = at_most(
        f"  wall / CPU of ingest, {processors()} processors",
        ratio([run.wall_s for run in taken["ingest"]], cpu),
        0.6,
        "{:.2f} x",
        f"{mine.wall_s:.1f} s",
    )
    yield wall if processors() == 2 else wall._replace(ok=None)
    yield Line("  second run, nothing new", f"{used('ingest', logs, store).wall_s:.2f} s")
    yield at_most(
        "  store / gz, after ingest", stored(store) / gz, 0.6, "{:.2f} x", f"{stored(store) / events:.0f} B/event"
    )
    merging = used("compact", store)
    yield at_most(
        "  store / gz, after compact", stored(store) / gz, 0.6, "{:.2f} x", f"{merging.wall_s:.1f} s to merge"
    )
    shares = incompressible(written)
    yield Line("  of the gz, what nothing can compress", f"{sum(shares.values()):.2f} x")
    yield from (Line(f"    {name}", f"{share:.2f} x") for name, share in shares.items())


if __name__ == "__main__":
    main(measure, __doc__, events=1_000_000, runs=3)
