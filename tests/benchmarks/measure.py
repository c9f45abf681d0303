"""What a process and its children take: processor time, time by the clock, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

CHECKOUT = Path(__file__).parents[2]
SAMPLED_EVERY_S = 0.05
_MIB = 1 << 20


class Used(NamedTuple):
    cpu_s: float  # user and system, of all processes
    wall_s: float


class Peak(NamedTuple):
    """The most memory at a time, in MiB, over all processes."""

    rss: float  # counts what processes share, such as libraries, once for each of them
    pss: float  # counts it once; where the system does not tell, the same as rss


def used(side: str, *words: object) -> Used:
    """What one of `sides` takes from start to end, as a process of its own."""
    start = time.perf_counter()
    process = _started(side, *words)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    _ended(process, os.waitstatus_to_exitcode(status), side)
    return Used(usage.ru_utime + usage.ru_stime, wall_s)


def peak(side: str, *words: object) -> Peak:
    """How much memory one of `sides` and all it starts hold at most, looked at from outside.

    Looking takes processor time of its own, so this tells nothing of speed.
    """
    process = _started(side, *words)
    samples = [Peak(0, 0)]
    while process.poll() is None:
        samples.append(held(process.pid))
        time.sleep(SAMPLED_EVERY_S)
    _ended(process, process.returncode, side)
    return Peak(max(sample.rss for sample in samples), max(sample.pss for sample in samples))


def in_turn(sides: Mapping[str, Callable[[int], Used]], runs: int) -> dict[str, list[Used]]:
    """Each side *runs* times, one after the other, so that a slow moment of the machine strikes all of them.

    A side gets the number of the run.
    """
    taken: dict[str, list[Used]] = {name: [] for name in sides}
    for run in range(runs):
        for name, side in sides.items():
            taken[name].append(side(run))
    return taken


def medians(taken: Sequence[Used]) -> Used:
    return Used(*(median(values) for values in zip(*taken, strict=True)))


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of the ratios of what was measured in the same turn."""
    return median(a / b for a, b in zip(of, to, strict=True))


def _started(*words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.benchmarks.sides", *map(str, words)], cwd=CHECKOUT)


def _ended(process: subprocess.Popen[bytes], status: int, side: str) -> None:
    process.returncode = status
    if status:
        raise SystemExit(f"{side} failed with status {status}")


def held(pid: int) -> Peak:
    """How much memory a process and all its descendants hold now."""
    rss = pss = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return Peak(0, 0)
    for process in family:
        try:
            now = process.memory_full_info()
        except (psutil.Error, OSError):  # it has just ended
            continue
        rss += now.rss
        pss += getattr(now, "pss", now.rss)
    return Peak(rss / _MIB, pss / _MIB)
