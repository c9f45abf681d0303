"""How fast logs become a store, and how fast the rules read it: figures, and ratios to a floor of the same run.

    python -m tests.benchmarks.ingest [EVENTS] [RUNS]

The floor is what no reader can avoid: read the same files and inflate them with isal, nothing else. Both sides run as
processes of their own, in turn, so that a slow moment of the machine strikes both; medians are what to quote.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.generate import write_trail

FLOOR = "import sys; from isal import igzip\nfor name in open(sys.argv[1]): igzip.decompress(open(name.strip(), 'rb').read())"
INGEST = """
import sys; from pathlib import Path; from auditkit.ingest import ingest; from auditkit.store import Store
ingest(Store(Path(sys.argv[2]), create=True), [sys.argv[1]])
"""
RULES = """
import sys, time, statistics; from pathlib import Path
from auditkit.catalogue import Catalogue; from auditkit.engines.duckdb import DuckDBEngine
from auditkit.rules import evaluate; from auditkit.store import Store
catalogue, engine = Catalogue.load(), DuckDBEngine(Store(Path(sys.argv[1])).parts())
matches = [query.rule for query in catalogue.rules if query.kind == "match"]
def timed(rules):
    start = time.perf_counter(); evaluate(engine, catalogue, rules=rules); return time.perf_counter() - start
timed(None)
print(statistics.median(timed(matches) for _ in range(5)), statistics.median(timed(None) for _ in range(5)), len(matches), len(catalogue.rules))
"""


def measured(code: str, *arguments: object) -> tuple[float, float, float]:
    """CPU seconds (user and system, children included), wall seconds and peak MB of a Python process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)])
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = status
    if status:
        raise SystemExit(f"a measured process failed with status {status}")
    return used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024


def main(events: int = 200_000, runs: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="auditkit-benchmark-") as name:
        folder = Path(name)
        files = write_trail(folder / "logs", events)
        (folder / "files.txt").write_text("\n".join(map(str, files)))
        gz = sum(path.stat().st_size for path in files)
        print(f"{events:,} events, {len(files):,} files, {gz / 1e6:.0f} MB gz ({gz / events:.0f} B an event)\n")
        floors, ingests = [], []
        for run in range(runs):
            floors.append(measured(FLOOR, folder / "files.txt"))
            ingests.append(measured(INGEST, folder / "logs", folder / f"store-{run}"))
        store = folder / f"store-{runs - 1}"
        stored = sum(path.stat().st_size for path in store.rglob("*.parquet"))
        ratios = [mine[0] / floor[0] for floor, mine in zip(floors, ingests, strict=True)]
        _print("floor: bare isal gunzip", floors)
        _print("ingest into a store", ingests)
        print(
            f"\nCPU of ingest / floor     {statistics.median(ratios):6.1f} x   (reach: 10)   of {', '.join(f'{r:.1f}' for r in ratios)}"
        )
        print(f"peak memory of ingest     {max(mb for _, _, mb in ingests):6.0f} MB  (reach: 600)")
        print(f"store / gz                {stored / gz:6.2f} x")
        known = measured(INGEST, folder / "logs", store)
        print(f"second run, nothing new   {known[1]:6.2f} s wall, {known[0]:.2f} s CPU, imports included")
        output = subprocess.run(
            [sys.executable, "-c", RULES, str(store)], check=True, capture_output=True, text=True
        ).stdout
        fused, every, match_rules, rules = output.split()
        print(f"{match_rules} match rules, one scan  {float(fused):6.2f} s wall  (reach: 1.0), median of 5, warm")
        print(f"all {rules} rules              {float(every):6.2f} s wall")


def _print(title: str, runs: list[tuple[float, float, float]]) -> None:
    cpu, wall, peak = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"{title:25} {cpu:6.2f} s CPU {wall:6.2f} s wall {peak:6.0f} MB peak")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
