"""Which files lie under the places a user named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from auditkit.errors import SourceError
from auditkit.logs.source import STORE_LEDGER, SourceFile, is_remote
from auditkit.model import Window

_DELIVERY_DAY = re.compile(r"(20\d\d)[/-]?(\d\d)[/-]?(\d\d)")


def discover(
    places: Iterable[str | Path], window: Window | None = None, *, profile: str | None = None
) -> list[SourceFile]:
    """Every file under *places* (folders, files, s3:// prefixes), each once, by delivery day and then by key; CSV last.

    Links are followed, but no folder twice. Hidden files and folders, and stores, are not logs and left out.
    What cannot be listed comes back like a file, so that reading it fails by name. Of a bucket, only what *window* can
    touch is listed, with the credentials of *profile*.
    Raises: SourceError, for a place that does not exist.
    """
    found: dict[str, SourceFile] = {}
    for place in places:
        for file in _in_bucket(str(place), window or Window(), profile) if is_remote(place) else _on_disk(Path(place)):
            found[file.key] = file
    # Of two copies of an event the first read is kept, and Event history as CSV tells the least of it.
    return sorted(found.values(), key=lambda file: (file.key.endswith(".csv"), _delivery_day(file.key), file.key))


def _in_bucket(url: str, window: Window, profile: str | None) -> list[SourceFile]:
    from auditkit.logs import s3  # with the AWS SDK, which takes a third of a second that a folder need not wait for

    return s3.list_files(url, window, profile)


def _on_disk(place: Path) -> Iterator[SourceFile]:
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(
            f"There is nothing at {str(place)!r}. Name a folder or a file of CloudTrail or flow-log exports, "
            "or a prefix such as s3://BUCKET/AWSLogs/."
        ) from None
    except OSError as error:
        raise SourceError(f"What is at {str(place)!r} cannot be seen: {error.strerror}.") from error
    return map(_source_file, _files(place))


def _files(place: Path) -> Iterator[str]:
    """The absolute paths of all files. As text: a Path for each of many tiny files costs as much as reading it."""
    absolute = os.path.abspath(place)  # noqa: PTH100 - not resolve(): a link keeps the name the user knows
    if not place.is_dir():
        yield absolute
        return
    unlisted: list[str] = []
    visited: set[tuple[int, int]] = set()

    def remember(error: OSError) -> None:
        unlisted.append(error.filename)

    for folder, folders, names in os.walk(absolute, followlinks=True, onerror=remember):
        try:
            status = os.stat(folder)  # noqa: PTH116
        except OSError:  # it went meanwhile, and its files with it
            folders.clear()
            continue
        if (status.st_dev, status.st_ino) in visited or STORE_LEDGER in names:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        under = folder if folder.endswith("/") else f"{folder}/"
        yield from (under + name for name in names if not name.startswith("."))
    yield from unlisted


def _source_file(path: str) -> SourceFile:
    key = path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:  # a link to nowhere
        return SourceFile(key, path, 0, "")
    return SourceFile(key, path, status.st_size, f"mtime {status.st_mtime_ns}")


def _delivery_day(key: str) -> str:
    """The day in a path, so that a day's files are read one after the other; empty when there is none."""
    days = _DELIVERY_DAY.findall(key)
    return "".join(days[-1]) if days else ""
