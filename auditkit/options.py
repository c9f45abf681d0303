"""What several commands take: logs or a store, the window, parameters, and where the answer goes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from auditkit.errors import ParameterError
from auditkit.model import SEVERITIES


def with_logs(command: Callable[..., None]) -> Callable[..., None]:
    """LOGS or --store, and the window: what every command that asks something takes."""
    return with_window(click.argument("logs", nargs=-1)(command))


def store_folder(about: str, *, required: bool = False) -> Callable[..., Any]:
    """--store: a folder on this machine, whatever the logs are."""
    return click.option("--store", type=click.Path(path_type=Path), callback=_local, required=required, help=about)


def _local(context: click.Context, option: click.Parameter, folder: Path | None) -> Path | None:
    if folder and str(folder).startswith("s3:/"):  # as a path it has lost one of its slashes
        raise ParameterError("--store takes a folder on this machine; a store cannot be in S3. LOGS can.")
    return folder


def with_window(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        store_folder("A store made by `auditkit ingest`."),
        click.option("--since", metavar="TIME", help="Start of the window, included."),
        click.option("--until", metavar="TIME", help="End of the window, not included."),
        flow_format_given,
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def format_of(*styles: str) -> Callable[..., Any]:
    return click.option("--format", "style", type=click.Choice(styles), default="table", show_default=True)


flow_format_given = click.option(
    "--flow-format", metavar="FIELDS", help="Fields of flow logs without a header, in order: 'version start end …'."
)
out_file = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead.")
parameters_given = click.option(
    "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."
)
fail_on_severity = click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit 1 when a finding is at least this severe."
)
show_sql_only = click.option("--show-sql", is_flag=True, help="Print the SQL with its values; read and run nothing.")


def named(parameters: tuple[str, ...]) -> dict[str, Any]:
    """`NAME=VALUE` pairs; what type a value is, its declaration says later."""
    values: dict[str, Any] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ParameterError(f"-p {text!r} is not NAME=VALUE, such as -p limit=20.")
        if name in values:
            raise ParameterError(f"-p {name} is there twice. A list is one value with commas: -p {name}=a,b.")
        values[name] = value
    return values
