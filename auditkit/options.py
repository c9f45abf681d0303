"""What several commands take: logs or a store, the window, parameters, and where the answer goes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from auditkit.engines.settings import SETTINGS
from auditkit.errors import ParameterError
from auditkit.model import SEVERITIES


class EngineOption(click.Option):
    """How to reach Athena or Trino, and what of their tables to read."""


class Grouped(click.Command):
    """A command whose help keeps the options for Athena and Trino apart: most calls need none of them."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        here: list[tuple[str, str]] = []
        there: list[tuple[str, str]] = []
        for parameter in self.get_params(context):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)):
                (there if isinstance(parameter, EngineOption) else here).append(record)
        for title, records in (("Options", here), ("Tables of Athena or Trino", there)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def with_engine(command: Callable[..., None]) -> Callable[..., None]:
    """--engine, and how to reach it: as an option, an AUDITKIT_… variable, or a key of auditkit.toml."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_ENGINE), command)


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
        with_engine,
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def format_of(*styles: str) -> Callable[..., Any]:
    return click.option("--format", "style", type=click.Choice(styles), default="table", show_default=True)


flow_format_given = click.option(
    "--flow-format", metavar="FIELDS", help="Fields of flow logs without a header, in order: 'version start end …'."
)


def _setting(name: str, about: str, *, metavar: str, **more: Any) -> Callable[..., Any]:
    variable = f"AUDITKIT_{name.upper().replace('-', '_')}"
    return click.option(f"--{name}", cls=EngineOption, metavar=metavar, envvar=variable, help=about, **more)


_ENGINE: tuple[Callable[..., Any], ...] = (
    _setting("engine", "Ask athena or trino, and read no LOGS.", metavar="ENGINE", type=click.Choice(tuple(SETTINGS))),
    _setting("cloudtrail-table", "The table of CloudTrail events: TABLE or DATABASE.TABLE.", metavar="TABLE"),
    _setting("flow-table", "The table of VPC flow records.", metavar="TABLE"),
    _setting("database", "Where a table without one is: a database of Athena, a schema of Trino.", metavar="NAME"),
    _setting("catalog", "Where the database is: awsdatacatalog by default, hive at Trino.", metavar="NAME"),
    click.option("--accounts", cls=EngineOption, metavar="A,B", help="Only of these accounts."),
    click.option("--regions", cls=EngineOption, metavar="R,S", help="Only of these regions."),
    _setting("max-scan", "Run nothing that would read more, such as 50GB.", metavar="SIZE"),
    _setting("workgroup", "Athena: the workgroup that runs the statements.", metavar="NAME"),
    _setting("output-location", "Athena: where results go; the workgroup's own if not said.", metavar="S3URL"),
    _setting("aws-region", "Athena: the region; that of the AWS configuration if not said.", metavar="REGION"),
    _setting("profile", "Athena: the profile of the AWS configuration.", metavar="NAME"),
    _setting("host", "Trino: its name or address.", metavar="HOST"),
    _setting("port", "Trino: its port.", metavar="N", type=click.IntRange(1, 65535)),
    _setting("user", "Trino: who asks. AUDITKIT_TRINO_PASSWORD or AUDITKIT_TRINO_TOKEN proves it.", metavar="NAME"),
    _setting("scheme", "Trino: http or https.", metavar="SCHEME", type=click.Choice(("http", "https"))),
)
baseline_given = click.option(
    "--baseline",
    metavar="AGE|STORE",
    help="What the window is compared with: so long before it (14d), or a store of earlier logs.",
)
allowlist_given = click.option(
    "--allowlist",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What somebody answers for, as TOML; it suppresses findings, and they are listed.",
)
_PLACES: tuple[Callable[..., Any], ...] = (
    click.option(
        "--networks",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="What offices, VPNs, partners and subnets are called, as TOML: findings and reports say the names.",
    ),
    click.option(
        "--geoip",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="A MaxMind file (.mmdb) of countries or of ASNs; may be repeated. Needs auditkit-aws[geoip].",
    ),
)


def with_places(command: Callable[..., None]) -> Callable[..., None]:
    """--networks and --geoip: files that say what addresses are called."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_PLACES), command)


out_file = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead.")
parameters_given = click.option(
    "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."
)
fail_on_severity = click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit 1 when a finding is at least this severe."
)
sigma_given = click.option(
    "--sigma",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run the Sigma rules in this folder, too. Needs pySigma: auditkit-aws[sigma].",
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
