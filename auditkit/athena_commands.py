"""The commands of the group `athena`: tables made, looked at, and allowed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

from auditkit.asking import opened_there
from auditkit.errors import ParameterError
from auditkit.model import Window
from auditkit.options import Grouped, format_of, with_engine
from auditkit.parameters import names_in
from auditkit.terminal import show

_CHECKED = timedelta(days=1)  # the window that `check` prices, if none is said


@click.group()
def athena() -> None:
    """Tables for Athena: made, looked at, and allowed."""


@athena.command()
@click.argument("kind")
@click.argument("location")
@click.option("--table", metavar="NAME", help="What to call it.")
@click.option("--database", metavar="NAME", help="Where to put it.")
@click.option("--accounts", metavar="A,B", help="The accounts there are; without, each question has to name some.")
@click.option("--regions", metavar="R,S", help="The regions there are; without, each question has to name some.")
@click.option("--since", metavar="DAY", help="The first day that the table sees: 2024-01-01.")
@click.option("--flow-format", metavar="FIELDS", help="Of flow logs in text, the fields in their order.")
@click.option("--no-header", is_flag=True, help="Their files do not begin with the names of the fields.")
@click.option("--hive-compatible", is_flag=True, help="Their folders are called aws-account-id=…/year=….")
@click.option("--dialect", type=click.Choice(("athena", "trino")), default="athena", show_default=True)
def ddl(
    kind: str,
    location: str,
    accounts: str | None,
    regions: str | None,
    since: str | None,
    flow_format: str | None,
    no_header: bool,
    **rest: Any,
) -> None:
    """Print the statement that makes a table of logs in S3.

    KIND is cloudtrail, flow-logs, flow-logs-parquet, store-events or store-flows. LOCATION is the folder above the
    account ids, s3://BUCKET/AWSLogs/ or s3://BUCKET/AWSLogs/o-…/; of a store it is the store's own.
    """
    from auditkit.logs.flow_format import FlowFormat
    from auditkit.setup.ddl import EARLIEST
    from auditkit.setup.ddl import ddl as written

    show(
        written(
            kind,
            location=location,
            accounts=names_in(accounts),
            regions=names_in(regions),
            since=_day(since) if since else EARLIEST,
            flow_format=FlowFormat.parse(flow_format) if flow_format else None,
            has_header=not no_header,
            **rest,
        )
    )


@athena.command(cls=Grouped)
@click.option("--since", metavar="TIME", help="The window to price: a day back, if not said.")
@click.option("--until", metavar="TIME", help="Its end; now, if not said.")
@format_of("table", "json")
@with_engine
def check(engine: str | None, since: str | None, until: str | None, style: str, **how: Any) -> None:
    """Say what tables lack, and what a question will cost.

    Nothing is scanned. Exit code: 3, when a table cannot be read.
    """
    from auditkit.output import as_json
    from auditkit.setup.check import check as checked
    from auditkit.setup.check_text import as_text

    now = datetime.now(UTC)
    window = Window.parse(since, until, now=now)
    window = Window(window.start or (window.end or now) - _CHECKED, window.end or now)
    sides = window.as_json()
    with opened_there(engine or "athena", since=sides["start"], until=sides["end"], **how) as audit:
        assert audit.remote
        found = checked(audit.remote, window)
        show(as_json([one.as_json() for one in found]) if style == "json" else as_text(found, window))
    if not all(one.is_readable for one in found):
        raise SystemExit(3)


@athena.command()
@click.option("--bucket", "buckets", metavar="S3URL", multiple=True, required=True, help="Where logs are; repeatable.")
@click.option("--output-location", metavar="S3URL", help="Where results go; leave out, if Athena manages them.")
@click.option("--workgroup", default="primary", show_default=True)
@click.option("--database", required=True)
@click.option("--table", "tables", multiple=True, help="Only this table; repeatable. All of the database if not said.")
@click.option("--aws-region", "region", required=True)
@click.option("--account", required=True, help="The account that the workgroup and the tables are in.")
@click.option("--kms-key", "kms_keys", metavar="ARN", multiple=True, help="A key that logs are encrypted with.")
@click.option("--output-kms-key", "output_kms_keys", metavar="ARN", multiple=True, help="A key for results.")
@click.option("--query-only", is_flag=True, help="For `query` and `sql` alone, which write no files.")
@click.option("--lake-formation", is_flag=True, help="Lake Formation grants the tables, as those of Security Lake.")
def policy(query_only: bool, **asked: Any) -> None:
    """Print the IAM policy that it takes to ask Athena, and no more."""
    from auditkit.setup.permissions import policy as written

    show(json.dumps(written(pull=not query_only, **asked), indent=2))


def _day(text: str) -> date:
    """Raises: ParameterError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ParameterError(f"--since takes a day, such as 2024-01-01, not {text!r}.") from None
