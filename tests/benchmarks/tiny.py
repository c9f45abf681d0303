"""What a file costs beyond its bytes: thousands of files of one record, next to the same records in a few files.

python -m tests.benchmarks.tiny [FILES] [RUNS]
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.generate import write_flow_logs, write_tiny_trail
from tests.benchmarks.measure import Used, in_turn, medians, used
from tests.benchmarks.table import Desk, Line, at_most, counted, files, main

FEW = 10  # files


def measure(desk: Desk, *, tiny: int, runs: int) -> Iterator[Line]:
    yield from _of_kind(desk, "event", partial(write_tiny_trail, events=tiny), one_trail, tiny, runs)
    flows = partial(write_flow_logs, lines=tiny, lines_a_file=1)
    yield from _of_kind(desk, "flow record", flows, one_flow_log, tiny, runs)


def _of_kind(
    desk: Desk,
    kind: str,
    make: Callable[[Path], object],
    join: Callable[[Sequence[Path]], bytes],
    tiny: int,
    runs: int,
) -> Iterator[Line]:
    name = kind.replace(" ", "-")
    many = desk.logs(f"tiny-{name}s-{tiny}", make)
    few = desk.logs(f"few-{name}s-{tiny}", partial(write_together, files(many), join))
    stores = desk.fresh("many"), desk.fresh("few")
    desk.say(f"ingest of {tiny:,} files, one {kind} each")
    taken = in_turn(
        {
            "many": lambda _: used("ingest", many, desk.fresh("many")),
            "few": lambda _: used("ingest", few, desk.fresh("few")),
        },
        runs,
    )
    yield _cost(f"tiny files: {counted(tiny)}, one {kind} each", medians(taken["many"]), medians(taken["few"]), tiny)
    again = medians([used("ingest", many, stores[0]) for _ in range(runs)])
    yield at_most("  second run, all known", again.wall_s, 1, "{:.2f} s", f"{again.cpu_s:.2f} s CPU")


def _cost(what: str, many: Used, few: Used, tiny: int) -> Line:
    wall_ms, cpu_ms = ((a - b) / tiny * 1e3 for a, b in zip(reversed(many), reversed(few), strict=True))
    return at_most(what, wall_ms, 0.5, "{:.2f} ms a file", f"{cpu_ms:.2f} ms CPU")


def write_together(tiny: Sequence[Path], join: Callable[[Sequence[Path]], bytes], folder: Path) -> None:
    """The records of the *tiny* files in a few, each under the name of the first that is in it."""
    each = -(-len(tiny) // FEW)
    for at in range(0, len(tiny), each):
        together = tiny[at : at + each]
        (folder / together[0].name).write_bytes(gzip.compress(join(together), compresslevel=6, mtime=0))


def one_trail(tiny: Sequence[Path]) -> bytes:
    start, end = b'{"Records":[', b"]}"
    each = (gzip.decompress(path.read_bytes()).removeprefix(start).removesuffix(end) for path in tiny)
    return start + b",".join(each) + end


def one_flow_log(tiny: Sequence[Path]) -> bytes:
    texts = [gzip.decompress(path.read_bytes()).splitlines() for path in tiny]
    return b"\n".join([texts[0][0], *(line for _, line in texts), b""])


if __name__ == "__main__":
    main(measure, __doc__, tiny=10_000, runs=3)
