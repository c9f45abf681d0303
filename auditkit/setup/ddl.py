"""Statements that make the tables auditkit reads in Athena and Trino; `auditkit athena ddl` prints them.

The text is in queries/ddl/. Columns are what queries/sources/ takes, or what schema.py has: neither is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from sqlglot import exp

from auditkit.engines.sources import source
from auditkit.errors import ParameterError
from auditkit.logs.flow_format import DEFAULT, FlowFormat, Layout
from auditkit.logs.keys import is_account
from auditkit.schema import PARTITION_KEY, TABLES
from auditkit.setup.aws_names import S3Folder, account_ids, region_names
from auditkit.setup.table_text import Columns, Dialect, Key, Table, written

KINDS = {
    "cloudtrail": "CloudTrail log files of one account or of an organization",
    "flow-logs": "VPC Flow Logs delivered as text",
    "flow-logs-parquet": "VPC Flow Logs delivered as Parquet",
    "store-events": "the events of an auditkit store in S3",
    "store-flows": "the flow records of an auditkit store in S3",
}
EARLIEST = date(2013, 11, 1)  # CloudTrail began in that month, flow logs in 2015: nothing is older
_LAST_YEAR = 2099
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_STORED = {"store-events": "cloudtrail_events", "store-flows": "flow_records"}


def ddl(
    kind: str,
    *,
    location: str,
    table: str | None = None,
    database: str | None = None,
    accounts: Sequence[str] = (),
    regions: Sequence[str] = (),
    since: date = EARLIEST,
    flow_format: FlowFormat | None = None,
    has_header: bool = True,
    hive_compatible: bool = False,
    dialect: Dialect = "athena",
) -> str:
    """The CREATE TABLE for one of KINDS.

    Args:
        location: `s3://BUCKET/AWSLogs/` or `…/AWSLogs/o-…/`, the folder above the account ids; of a store, its folder.
        accounts: Those there are. Without any, every query has to name its own. The same holds for *regions*.
        since: The first day that the table sees.
        flow_format: The fields of flow logs in text, in their order; AWS's default format if not given.
        has_header: Whether each of their files begins with the names of the fields, as AWS's own do.
        hive_compatible: Whether their folders are called `aws-account-id=…/year=…`.
    Raises: ParameterError, for anything that has no place in a statement, and for options that the kind does not have.
    """
    if kind not in KINDS:
        raise ParameterError(_unknown(kind))
    if dialect == "trino" and kind not in _STORED:
        raise ParameterError(
            f"Trino cannot read {KINDS[kind]} as Athena does. `auditkit ingest` makes a store of them; for one "
            "that was copied to S3 there are store-events and store-flows."
        )
    _refuse_what_it_lacks(
        kind,
        {
            "--accounts": bool(accounts),
            "--regions": bool(regions),
            "--flow-format": flow_format is not None,
            "--no-header": not has_header,
            "--hive-compatible": hive_compatible,
        },
    )
    folder, lists = S3Folder.parse(location), (account_ids(accounts), region_names(regions))
    if kind in _STORED:
        made = _store(_STORED[kind], folder, since, dialect)
    elif kind == "cloudtrail":
        made = _cloudtrail(folder, *lists, since)
    else:
        form = None if kind == "flow-logs-parquet" else FlowFormat.parse(str(flow_format or DEFAULT))
        made = _flow_logs(folder, *lists, since, form, has_header=has_header, hive_compatible=hive_compatible)
    return written(made, table, database, dialect)


def _unknown(kind: str) -> str:
    if "lake" in kind:
        return (
            "Security Lake makes its tables itself, in the database amazon_security_lake_glue_db_<region>. Name them "
            "with --cloudtrail-table and --flow-table; there is nothing to create."
        )
    return f"{kind!r} is no kind of table. There are {', '.join(KINDS)}."


def _refuse_what_it_lacks(kind: str, given: Mapping[str, bool]) -> None:
    has = {
        "cloudtrail": {"--accounts", "--regions"},
        "flow-logs": set(given),
        "flow-logs-parquet": {"--accounts", "--regions", "--hive-compatible"},
    }.get(kind, set())
    if extra := [option for option, is_given in given.items() if is_given and option not in has]:
        raise ParameterError(f"A table for {KINDS[kind]} has nothing to do with {extra[0]}. Leave it out.")


def _cloudtrail(folder: S3Folder, accounts: Sequence[str], regions: Sequence[str], since: date) -> Table:
    keys = [
        Key.listed("account", "accounts", accounts),
        Key.listed("region", "regions", regions),
        Key.day("timestamp", "STRING", "yyyy/MM/dd", since),
    ]
    return Table(
        template="cloudtrail",
        name="cloudtrail_logs",
        columns=_taken("cloudtrail_events", keys),
        keys=keys,
        location=_above_accounts(folder, has_organizations=True),
        folders="${account}/CloudTrail/${region}/${timestamp}/",
        since=since,
    )


def _flow_logs(
    folder: S3Folder,
    accounts: Sequence[str],
    regions: Sequence[str],
    since: date,
    form: FlowFormat | None,
    *,
    has_header: bool,
    hive_compatible: bool,
) -> Table:
    """Of the text that *form* describes; without one, of Parquet."""
    keys = [Key.listed("account", "accounts", accounts), Key.listed("aws_region", "regions", regions)]
    if hive_compatible:
        since = date(since.year, 1, 1)
        keys += [
            Key.number("year", since.year, _LAST_YEAR, 4),
            Key.number("month", 1, 12, 2),
            Key.number("day", 1, 31, 2),
        ]
        folders = "aws-account-id=${account}/aws-service=vpcflowlogs/aws-region=${aws_region}/"
        folders += "year=${year}/month=${month}/day=${day}/"
    else:
        keys += [Key.day("day", "STRING", "yyyy/MM/dd", since)]
        folders = "${account}/vpcflowlogs/${aws_region}/${day}/"
    return Table(
        template="flow_logs" if form else "flow_logs_parquet",
        name="vpc_flow_logs",
        columns=_in_order(form, keys) if form else _taken("flow_records", keys),
        keys=keys,
        location=_above_accounts(folder, has_organizations=False),
        folders=folders,
        since=since,
        more={"unknown": form.unknown if form else {}, "has_header": has_header},
    )


def _store(table: str, folder: S3Folder, since: date, dialect: Dialect) -> Table:
    columns = [(c.name, exp.DataType.build(c.type)) for c in TABLES[table].columns if c.name != PARTITION_KEY]
    return Table(
        template="store" if dialect == "athena" else "store_trino",
        name=table,
        columns=columns,
        keys=[Key.day(PARTITION_KEY, "DATE", "yyyy-MM-dd", since)],
        location=folder if folder.names[-1:] == (table,) else folder / table,
        folders=f"{PARTITION_KEY}=${{{PARTITION_KEY}}}/",
        since=since,
        more={"stored": f"The table {table}"},
    )


def _taken(table: str, keys: Sequence[Key]) -> Columns:
    """What the source of *table* reads of a file."""
    own = {key.name for key in keys}
    return [(n, kind) for n, kind in source(table, "aws").columns.items() if n not in own and not n.startswith("$")]


def _in_order(form: FlowFormat, keys: Sequence[Key]) -> Columns:
    """The fields of *form* as columns; one that auditkit does not know is text."""
    if Layout(form.fields).is_transit_gateway:
        raise ParameterError("This is the format of a Transit Gateway flow log, which auditkit does not read.")
    types = source("flow_records", "aws").columns
    names = [name.replace("-", "_") for name in form.fields]
    if twice := [key.name for key in keys if key.name in names]:
        raise ParameterError(f"The flow format has a field {twice[0]}, which is no field of AWS's and a folder here.")
    return [(name, types.get(name) or exp.DataType.build("varchar")) for name in names]


def _above_accounts(folder: S3Folder, *, has_organizations: bool) -> S3Folder:
    """*folder*, if it is the one in which AWS makes a folder for each account. Raises: ParameterError.

    With another, the table would have no rows, and nothing would say so.
    """
    names = folder.names
    top = len(names) - names[::-1].index("AWSLogs") if "AWSLogs" in names else None
    right = folder / "AWSLogs" if top is None else S3Folder(folder.bucket, names[:top])
    below = () if top is None else names[top:]
    if has_organizations and below and _ORGANIZATION.fullmatch(below[0]):
        right, below = right / below[0], below[1:]
    if right == folder:
        return folder
    named = next((name for name in below if is_account(name)), None)
    raise ParameterError(
        f"{folder} is not the folder above the account ids, which is called AWSLogs/"
        f"{', or AWSLogs/o-…/ for an organization' if has_organizations else ''}. "
        f"Perhaps {right}{f' with --accounts {named}' if named else ''}?"
    )
