"""Benchmarks from the command line to one table: what was measured, and what is to be reached."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from auditkit.output import as_table


class Line(NamedTuple):
    what: str
    measured: str
    reach: str = ""
    ok: bool | None = None  # None: there is nothing to reach, or nothing it could be held against

    def as_row(self) -> dict[str, str]:
        return {**self._asdict(), "ok": {True: "yes", False: "NO", None: ""}[self.ok]}


def at_most(what: str, value: float, reach: float, unit: str, detail: str = "") -> Line:
    """A line whose value is to be *reach* or less; *unit* is a format, such as `{:.1f} x`."""
    said = ", ".join(filter(None, (unit.format(value), detail)))
    return Line(what, said, f"<= {unit.format(reach)}", value <= reach)


def at_least(what: str, value: float, reach: float, unit: str, detail: str = "") -> Line:
    return at_most(what, value, reach, unit, detail)._replace(reach=f">= {unit.format(reach)}", ok=value >= reach)


class Desk:
    """Where a benchmark has its logs and its stores, and says what it is at.

    Logs are made once, and kept for other runs in the folder *keep*, if there is one. Stores are always new.
    """

    def __init__(self, temporary: Path, keep: Path | None = None, *, quiet: bool = False) -> None:
        self._temporary, self._keep, self._quiet = temporary, keep, quiet

    def logs(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder *name*, in which *make* left logs."""
        parent = self._keep / f"{name}-{_generator()}" if self._keep else self._temporary / "logs" / name
        if not parent.is_dir():
            self.say(f"making {name}")
            unfinished = parent.with_name(f"{parent.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            make(unfinished)
            unfinished.rename(parent)
        return parent

    def fresh(self, name: str) -> Path:
        """Where nothing is."""
        path = self._temporary / "stores" / name
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(exist_ok=True)
        return path

    def listed(self, logs: Path) -> Path:
        """A file with the names of all files under *logs*."""
        path = self._temporary / "listed.txt"
        path.write_text("\n".join(map(str, files(logs))))
        return path

    def say(self, what: str) -> None:
        if not self._quiet:
            print(f"{what} …", file=sys.stderr, flush=True)


def files(logs: Path) -> list[Path]:
    return sorted(path for path in logs.rglob("*") if path.is_file())


def size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def stored(store: Path) -> int:
    """Bytes of a store's parts."""
    return size(store.rglob("*.parquet"))


def counted(number: int) -> str:
    """`1 M`, `10 k`, `300`."""
    for unit, name in ((1_000_000, " M"), (1_000, " k")):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return str(number)


def main(measure: Callable[..., Iterable[Line]], about: str | None, **sizes: int) -> None:
    """Measure with the *sizes* given on the command line, in their order, or these; print the table."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in sizes.items():
        parser.add_argument(name, type=int, nargs="?", default=default, help=f"{default:,} by default")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the generated logs here, for other runs")
    given = vars(parser.parse_args())
    keep: Path | None = given.pop("keep")
    with ExitStack() as stack:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="auditkit-benchmark-", dir=keep))
        lines = list(measure(Desk(Path(temporary).resolve(), keep and keep.resolve()), **given))
    print(shown(lines))


def shown(lines: Iterable[Line]) -> str:
    """The table, and what it was measured on."""
    table = as_table(Line._fields, [line.as_row() for line in lines])
    return f"\n{table}\n\nPython {sys.version.split()[0]}, {processors()} processors. {_NOTES}"


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_NOTES = "Medians; a ratio is the median of the ratios of runs made in turn. M = 10^6, k = 10^3, MiB = 2^20 bytes."


def _generator() -> str:
    """What tells logs of another generator apart."""
    folder = Path(__file__).parent
    sources = (folder.joinpath(name).read_bytes() for name in ("generate.py", "synthetic.py", "crossing.py"))
    return sha256(b"".join(sources)).hexdigest()[:8]
