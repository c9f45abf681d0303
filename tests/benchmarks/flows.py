"""Flow logs into a store: how fast, next to inflating the same files.

    python -m tests.benchmarks.flows [LINES] [RUNS]

The floor is what no reader can avoid: read the files and inflate them with isal, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.generate import write_flow_logs
from tests.benchmarks.measure import in_turn, medians, ratio, used
from tests.benchmarks.table import Desk, Line, at_least, counted, files, main, processors, size, stored


def measure(desk: Desk, *, lines: int, runs: int) -> Iterator[Line]:
    logs = desk.logs(f"flows-{lines}", partial(write_flow_logs, lines=lines))
    written = files(logs)
    gz = size(written)
    listed, store = desk.listed(logs), desk.fresh("flows")
    desk.say(f"ingest of {counted(lines)} flow records")
    taken = in_turn(
        {
            "floor": lambda _: used("gunzip", listed),
            "ingest": lambda _: used("ingest", logs, desk.fresh("flows")),
        },
        runs,
    )
    floor, mine = medians(taken["floor"]), medians(taken["ingest"])
    over = ratio([run.cpu_s for run in taken["ingest"]], [run.cpu_s for run in taken["floor"]])
    speed = at_least(
        f"flow logs: {counted(lines)} lines in {len(written):,} files, {gz / 1e6:.0f} MB gz",
        lines / mine.wall_s / 1e6,
        1.2,
        "{:.2f} M lines/s",
        f"{mine.wall_s:.1f} s",
    )
    yield speed if processors() == 2 else speed._replace(ok=None)
    yield Line("  CPU of ingest / of bare isal gunzip", f"{over:.1f} x, {mine.cpu_s:.1f} / {floor.cpu_s:.2f} s")
    yield Line("  store / gz", f"{stored(store) / gz:.2f} x, {stored(store) / lines:.1f} B/line")


if __name__ == "__main__":
    main(measure, __doc__, lines=5_000_000, runs=3)
