"""How fast flow logs become a store, and what a tiny file costs: figures, and ratios to a floor of the same run.

    python -m tests.benchmarks.flows [LINES] [RUNS]

The floor is what no reader can avoid: read the same files and inflate them with isal, nothing else. All sides run as
processes of their own, in turn, so that a slow moment of the machine strikes all; medians are what to quote. Tiny files
are one line each; what they cost beyond their bytes is told by the same lines in one.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.generate import write_flow_logs
from tests.benchmarks.ingest import FLOOR, INGEST, measured

TINY_FILES = 10_000


def main(lines: int = 2_000_000, runs: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="auditkit-benchmark-") as name:
        folder = Path(name)
        files = write_flow_logs(folder / "logs", lines)
        (folder / "files.txt").write_text("\n".join(map(str, files)))
        gz = sum(path.stat().st_size for path in files)
        print(f"{lines:,} lines, {len(files):,} files, {gz / 1e6:.0f} MB gz ({gz / lines:.0f} B a line)\n")
        floors, ingests = [], []
        for run in range(runs):
            floors.append(measured(FLOOR, folder / "files.txt"))
            ingests.append(measured(INGEST, folder / "logs", folder / f"store-{run}"))
        cpu, wall, peak = _medians(ingests)
        stored = sum(path.stat().st_size for path in (folder / "store-0").rglob("*.parquet"))
        print(f"floor: bare isal gunzip {_figures(_medians(floors))}")
        print(f"ingest into a store     {_figures((cpu, wall, peak))}")
        print(
            f"\nlines a second          {lines / wall / 1e6:6.2f} M wall (reach: 1.2), {lines / cpu / 1e6:.2f} M CPU (reach: 0.65)"
        )
        print(f"CPU of ingest / floor   {cpu / _medians(floors)[0]:6.1f} x")
        print(f"store / gz              {stored / gz:6.2f} x, {stored / lines:.1f} B a line")

        _write_together(write_flow_logs(folder / "tiny", TINY_FILES, lines_a_file=1), folder / "few" / "flows.log.gz")
        tiny, few = (
            _medians([measured(INGEST, folder / kind, folder / f"store-{kind}-{run}") for run in range(runs)])
            for kind in ("tiny", "few")
        )
        print(f"\n{TINY_FILES:,} lines, a file each {_figures(tiny)}")
        print(f"the same in one file     {_figures(few)}")
        print(f"a file beyond its bytes  {(tiny[1] - few[1]) / TINY_FILES * 1e3:6.2f} ms wall (reach: 0.5)")


def _write_together(files: Sequence[Path], path: Path) -> None:
    """The lines of *files*, which have one each, in a file of their own."""
    texts = [gzip.decompress(file.read_bytes()).splitlines() for file in files]
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"\n".join([texts[0][0], *(line for _, line in texts), b""]), mtime=0))


def _medians(runs: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    cpu, wall, peak = (statistics.median(values) for values in zip(*runs, strict=True))
    return cpu, wall, peak


def _figures(medians: tuple[float, float, float]) -> str:
    return "{:6.2f} s CPU {:6.2f} s wall {:5.0f} MB peak".format(*medians)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
