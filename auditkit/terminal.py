"""What a person at the terminal gets: results on standard output; notes and progress on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from auditkit.report.clean import clean

if TYPE_CHECKING:
    from auditkit.ingest import Reached
    from auditkit.model import Running


def show(text: str) -> None:
    """A result. When its reader has gone, as `head` goes, the rest is not wanted and the exit code still is."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """A note. Names in it come from logs, so what would move the cursor is shown instead."""
    click.echo(clean(text), err=True)


@contextmanager
def reading() -> Iterator[Callable[[Reached], None] | None]:
    """A bar of what has been read, how fast, and how long it will take, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TextColumn("{task.fields[files]}, {task.fields[records]:,} records"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, files="", records=0)

        def tell(now: Reached) -> None:
            files = f"{now.files:,}/{now.of_files:,} files"
            bar.update(task, completed=now.bytes, total=now.of_bytes, files=files, records=now.records)

        yield tell


def checking() -> AbstractContextManager[Callable[[int, int], None] | None]:
    """A bar of files checked, of how many, on a terminal; nothing elsewhere."""
    return _counting("checking", "files")


def merging() -> AbstractContextManager[Callable[[int, int], None] | None]:
    """A bar of days merged, of how many, on a terminal; nothing elsewhere."""
    return _counting("merging", "days")


@contextmanager
def _counting(doing: str, what: str) -> Iterator[Callable[[int, int], None] | None]:
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def asking() -> Iterator[Callable[[Running], None]]:
    """A line on the statement that runs at Athena or Trino, on a terminal; elsewhere its id, once it has one."""
    said: set[str] = set()

    def name(now: Running) -> None:
        if now.query_id and now.query_id not in said:
            said.add(now.query_id)
            say(f"{now.engine}: query {now.query_id}")

    if not sys.stderr.isatty():
        yield name
        return
    with Console(stderr=True).status("asking") as status:

        def tell(now: Running) -> None:
            name(now)
            read = f", {decimal(now.bytes_scanned)} read" if now.bytes_scanned else ""
            status.update(f"{now.engine} {now.state.lower()}, {now.elapsed_s:.0f} s{read}")

        yield tell


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """A sign of life, on a terminal, for what cannot say how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(doing):
        yield
