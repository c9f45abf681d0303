"""What a person at the terminal gets: results on standard output; notes and progress on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from auditkit.report.clean import clean


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
def reading() -> Iterator[Callable[[int, int], None] | None]:
    """A bar of files read, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """A sign of life, on a terminal, for what cannot say how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(doing):
        yield
