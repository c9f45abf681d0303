"""Which files lie under the places a user named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from auditkit.errors import SourceError

STORE_LEDGER = "ledger.sqlite"  # a folder that holds one is a store, not logs
_DELIVERY_DAY = re.compile(r"(20\d\d)[/-]?(\d\d)[/-]?(\d\d)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it lay there. `key` is its absolute path; a name that is not UTF-8 is written with `\\x` escapes."""

    key: str
    path: Path
    size: int
    version: str  # another one, when the content has changed


def discover(places: Iterable[str | Path]) -> list[SourceFile]:
    """Every file under *places* (folders or files), each once, by delivery day and then by key.

    Links are followed, but no folder twice. Hidden files and folders, and stores, are not logs and left out.
    What cannot be listed comes back like a file, so that reading it fails by name.
    Raises: SourceError, for a place that does not exist.
    """
    found: dict[str, SourceFile] = {}
    for place in map(Path, places):
        if not place.exists():
            raise SourceError(
                f"There is nothing at {str(place)!r}. Name a folder or a file of CloudTrail or flow-log exports."
            )
        for path in _files(place):
            file = _source_file(path)
            found[file.key] = file
    return sorted(found.values(), key=lambda file: (_delivery_day(file.key), file.key))


def in_s3(place: str | Path) -> bool:
    """Whether a place, or a file's key, is in S3."""
    return str(place).startswith("s3://")


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    unlisted: list[Path] = []
    visited: set[tuple[int, int]] = set()

    def remember(error: OSError) -> None:
        unlisted.append(Path(error.filename))

    for folder, folders, names in os.walk(place, followlinks=True, onerror=remember):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in visited or STORE_LEDGER in names:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))
    yield from unlisted


def _source_file(path: Path) -> SourceFile:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): a link keeps the name the user knows
    key = os.fsencode(absolute).decode("utf-8", "backslashreplace")
    try:
        status = absolute.stat()
    except OSError:  # a link to nowhere
        return SourceFile(key, absolute, 0, "")
    return SourceFile(key, absolute, status.st_size, f"mtime {status.st_mtime_ns}")


def _delivery_day(key: str) -> str:
    """The day in a path, so that a day's files are read one after the other; empty when there is none."""
    days = _DELIVERY_DAY.findall(key)
    return "".join(days[-1]) if days else ""
