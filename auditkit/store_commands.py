"""The commands that make a store: `ingest`, `compact` and `pull`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from auditkit.engines.settings import SETTINGS
from auditkit.errors import ParameterError
from auditkit.options import Grouped, flow_format_given, store_folder, with_engine


@click.command()
@click.argument("logs", nargs=-1, required=True)
@store_folder("The folder of the store; made if new.", required=True)
@click.option("--since", metavar="TIME", help="Store only records from here on.")
@click.option("--until", metavar="TIME", help="Store only records before this.")
@flow_format_given
@click.option(
    "--max-text",
    "max_text_mb",
    metavar="MB",
    type=click.IntRange(min=1),
    default=4096,
    show_default=True,
    help="Refuse a file that unpacks to more than this.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), help="How many read at once; one for each processor if not said."
)
@click.option("--json", "style", flag_value="json", default="text", help="Print what was done as one JSON object.")
def ingest(logs: tuple[str, ...], store: Path, **how: Any) -> None:
    """Read LOGS into a store.

    Only what is new is read, and each event is stored once. It can be stopped at any time: what was committed stays,
    and the next run goes on from there.
    """
    from auditkit.ingesting import ingested

    ingested(logs, store, now=datetime.now(UTC), **how)


@click.command()
@store_folder("The store.", required=True)
@click.option("--json", "style", flag_value="json", default="text", help="Print what was done as one JSON object.")
def compact(store: Path, style: str) -> None:
    """Merge the many small parts of a store, day by day.

    It becomes smaller and answers sooner; what it holds stays the same. It can be stopped at any time.
    """
    from auditkit.ingesting import compacted

    compacted(store, style=style)


@click.command(cls=Grouped)
@store_folder("The folder of the store; made if new.", required=True)
@click.option("--since", metavar="TIME", required=True, help="The first day.")
@click.option("--until", metavar="TIME", help="The end; now, if not said.")
@click.option("--services", metavar="A,B", help="Only events of these services: ecs,iam. Flow records come whole.")
@click.option("--json", "style", flag_value="json", default="text", help="Print what was done as one JSON object.")
@with_engine
def pull(store: Path, engine: str | None, **how: Any) -> None:
    """Bring what Athena or Trino holds of a window into a store.

    It comes in whole days, each table in one statement, and only days that are not there yet. Every other command
    then asks the store, which costs nothing.
    """
    from auditkit.pulling import pulled

    pulled(store, engine=_named(engine), **how)


def _named(engine: str | None) -> str:
    """Raises: ParameterError."""
    if engine is None:
        raise ParameterError(f"Name who holds the tables: --engine {' or '.join(SETTINGS)}.")
    return engine
