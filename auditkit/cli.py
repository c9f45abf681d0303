"""The command line: arguments in, exit code out. Each command is one call of the library."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from auditkit import __version__
from auditkit.asking import answer, check_allowlist, check_rules, opened, prepared, rules_of
from auditkit.athena_commands import athena
from auditkit.config import CONFIG, defaults
from auditkit.errors import AuditkitError, ParameterError, QueryError, SourceError, UnknownQueryError, WindowError
from auditkit.model import SEVERITIES, Severity, Window, at_least, counted
from auditkit.options import (
    Grouped,
    allowlist_given,
    baseline_given,
    fail_on_severity,
    format_of,
    named,
    out_file,
    parameters_given,
    show_sql_only,
    sigma_given,
    with_logs,
    with_places,
    with_window,
)
from auditkit.store_commands import compact, ingest, pull
from auditkit.terminal import busy, say, show
from auditkit.who_command import who

EXIT_FINDINGS, EXIT_USAGE, EXIT_UNFINISHED = 1, 2, 3
_USAGE_ERRORS = (ParameterError, SourceError, UnknownQueryError, WindowError)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave: 0 clean, 1 findings, 2 usage, 3 could not finish."""
    try:
        sys.exit(cli.main(args=arguments, prog_name="auditkit", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.Abort:
        say("Stopped. What was stored is intact.")
    except AuditkitError as error:
        say(f"Error: {error}")
        if isinstance(error, _USAGE_ERRORS):
            sys.exit(EXIT_USAGE)
    except Exception:  # Python would leave with 1, which says that there are findings
        traceback.print_exc()
        say("Error: this should not happen and is a mistake in auditkit. Please report it with the lines above.")
    sys.exit(EXIT_UNFINISHED)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="auditkit")
@click.pass_context
def cli(context: click.Context) -> None:
    """Who touched ECS, IAM and Secrets Manager, from where, what was denied, what the network refused around it.

    LOGS are folders or files of CloudTrail and VPC Flow Logs exports, or prefixes of a bucket such as
    s3://BUCKET/AWSLogs/, read with your AWS credentials. Times are ISO (2026-11-01,
    2026-11-01T09:00+09:00) or an age (12h, 7d). An auditkit.toml in the current folder holds defaults for the
    options, a section for each command.

    Exit code: 0 clean, 1 findings at or above --fail-on, 2 wrong use, 3 could not finish.
    """
    context.default_map = defaults(Path(CONFIG), cli.commands)


@cli.command(cls=Grouped)
@click.argument("name")
@with_logs
@parameters_given
@format_of("table", "json", "csv", "parquet")
@out_file
@show_sql_only
def query(
    name: str,
    logs: tuple[str, ...],
    parameters: tuple[str, ...],
    style: str,
    out: Path | None,
    show_sql: bool,
    **where: Any,
) -> None:
    """Ask a question, or run one rule, of the catalogue.

    `auditkit list` shows every NAME, and `auditkit list NAME` its parameters.
    """
    from auditkit.catalogue import Catalogue

    values = named(parameters)
    asked = Catalogue.load().get(name)
    bound = asked.bind(values)  # a slip is told before any log is read
    most = bound["limit"].value if "limit" in bound else None
    answer(prepared(asked.sql, bound), lambda audit: audit.ask(name, values), logs, style, out, show_sql, where, most)


@cli.command(cls=Grouped)
@click.argument("statement")
@with_logs
@format_of("table", "json", "csv", "parquet")
@out_file
@show_sql_only
def sql(statement: str, logs: tuple[str, ...], style: str, out: Path | None, show_sql: bool, **where: Any) -> None:
    """Run one SELECT of your own.

    STATEMENT is Trino SQL over cloudtrail_events and flow_records, which hold what lies inside the window.
    """
    try:
        ready = prepared(statement, {})
    except QueryError as error:
        raise ParameterError(str(error)) from None
    answer(ready, lambda audit: audit.ask_sql(statement), logs, style, out, show_sql, where)


@cli.command(cls=Grouped)
@with_logs
@format_of("table", "json", "csv", "sarif", "ocsf", "navigator")
@out_file
@click.option("--severity", type=click.Choice(SEVERITIES), default="info", show_default=True, help="The mildest shown.")
@baseline_given
@allowlist_given
@with_places
@click.option("--rule", "rules", multiple=True, metavar="NAME", help="Only this rule; may be repeated.")
@sigma_given
@fail_on_severity
def findings(
    logs: tuple[str, ...],
    style: str,
    out: Path | None,
    severity: Severity,
    rules: tuple[str, ...],
    sigma: Path | None,
    allowlist: Path | None,
    fail_on: Severity | None,
    **where: Any,
) -> None:
    """Run the rules and print what they found, worst first.

    For other programs, --format sarif is SARIF 2.1.0, ocsf a JSON array of OCSF 1.6 Detection Findings, and navigator a
    layer for the ATT&CK Navigator: the techniques that were found, and those that rules looked for.
    """
    from auditkit.evidence import NOTHING_TO_JUDGE
    from auditkit.finding_text import in_style
    from auditkit.output import write_text

    more = rules_of(sigma)
    check_rules(rules, more)
    check_allowlist(allowlist)
    with opened(logs, **where) as audit:
        run = audit.evaluate(severity=severity, rules=rules or None, allowlist=allowlist, sigma=more)
        coverage = audit.coverage()
        catalogue = audit.catalogue.with_rules(more.rules if more else ())
        text = in_style(run, catalogue.rules, coverage, audit.window, style, floor=severity)
        if not coverage.tables:
            say(NOTHING_TO_JUDGE)
    write_text(text, out=out, show=show)
    for reason, count in Counter(run.skipped.values()).items():
        say(f"{counted(count, 'rule')} did not run: {reason}")
    for notice in run.allowed.notices if run.allowed else ():
        say(f"allowlist: {notice.text}")
    _leave([finding.severity for finding in run.findings], fail_on, run.failed)


@cli.command(cls=Grouped)
@with_logs
@format_of("table", "json", "csv")
@out_file
def coverage(logs: tuple[str, ...], style: str, out: Path | None, **where: Any) -> None:
    """Show which hours the logs cover, by account and region.

    An hour is seen, quiet, missing, blind (AWS lost flow records) or quarantined (a file of it could not be read).
    --accounts and --regions name what is expected: what of them was not read is missing then, and not forgotten.
    """
    from auditkit.coverage_text import expected, in_style
    from auditkit.output import write_text

    expected_accounts, expected_regions = expected(
        where["accounts"], where["regions"]
    )  # a slip is told before any log is read
    with opened(logs, **where) as audit:
        facts = audit.coverage(accounts=expected_accounts, regions=expected_regions)
    write_text(in_style(facts, style), out=out, show=show)


@cli.command(cls=Grouped)
@click.argument("notebook_and_logs", nargs=-1, metavar="[NOTEBOOK] [LOGS]...")
@with_window
@click.option(
    "--out", type=click.Path(path_type=Path), default="reports", show_default=True, help="Folder for the HTML."
)
@baseline_given
@allowlist_given
@with_places
@parameters_given
@fail_on_severity
def report(
    notebook_and_logs: tuple[str, ...],
    out: Path,
    allowlist: Path | None,
    parameters: tuple[str, ...],
    fail_on: Severity | None,
    **where: Any,
) -> None:
    """Make one HTML report from a notebook.

    NOTEBOOK is a name that `auditkit list` shows, or a path to an .ipynb; `audit` when left out. A later report into
    the same folder says what is new since the one before.
    """
    from auditkit.evidence import NOTHING_TO_JUDGE
    from auditkit.runs import check_parameters, split_notebook

    notebook, logs = split_notebook(notebook_and_logs)
    values = named(parameters)
    check_parameters(notebook, values)
    check_allowlist(allowlist)
    with opened(logs, **where) as audit, busy(f"running the notebook {notebook.stem}"):
        made = audit.report(notebook, out=out, allowlist=allowlist, **values)
    show(str(made.path))
    say(made.summary)
    if made.is_empty:
        say(NOTHING_TO_JUDGE)
    _leave(made.severities, fail_on, made.failed)


@cli.command("list")
@click.argument("name", required=False)
@format_of("table", "json")
def list_(name: str | None, style: str) -> None:
    """Show all questions, rules and notebooks.

    With a NAME: what that one is about, and what parameters it takes.
    """
    from auditkit.listing import as_text, described, listing
    from auditkit.output import as_json

    entries = listing()
    if name is not None:
        entry = described(name, entries)
        show(as_json(entry) if style == "json" else as_text([entry], parameters=True))
    else:
        show(as_json(entries) if style == "json" else as_text(entries))


@cli.command(cls=Grouped)
@with_logs
@click.option("--dir", "folder", type=click.Path(path_type=Path), default="auditkit-lab", show_default=True)
@click.option("--prepare-only", is_flag=True, help="Copy the notebooks and do not start JupyterLab.")
def lab(logs: tuple[str, ...], folder: Path, prepare_only: bool, **where: Any) -> None:
    """Open JupyterLab on a copy of the notebooks, set to read LOGS."""
    from auditkit.lab import prepare, start

    names = prepare(folder, logs=logs, **where)
    say(f"Notebooks in {folder}: {', '.join(copy.stem for copy in names)}. One that was there before is left as it is.")
    if not prepare_only:
        start(folder)


@cli.command()
@click.argument("logs", nargs=-1, required=True)
@click.option("--since", metavar="TIME", help="Start of the window, included; on the time of delivery.")
@click.option("--until", metavar="TIME", help="End of the window, not included.")
@format_of("table", "json")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Public keys, as `aws cloudtrail list-public-keys` prints them; may be repeated. CloudTrail is asked without.",
)
@click.option("--save-keys", type=click.Path(path_type=Path), help="Keep the keys that CloudTrail gave in this file.")
def verify(
    logs: tuple[str, ...],
    since: str | None,
    until: str | None,
    style: str,
    keys: tuple[Path, ...],
    save_keys: Path | None,
) -> None:
    """Tell whether log files are as CloudTrail delivered them.

    LOGS are a bucket, s3://BUCKET/PREFIX, or copies of one on disk, with the digests that CloudTrail signs every hour.
    A copy on disk has lost the signature of its newest digest, unless `aws s3api head-object` was saved beside it as
    NAME.metadata.json.

    Exit code: 1 when a digest or log file is invalid, missing or in no digest, 3 when nothing could be verified.
    """
    from auditkit.verifying import verified

    now = datetime.now(UTC)
    window = Window.parse(since, until, now=now)
    result = verified(logs, keys=keys, save_keys=save_keys, window=window, now=now, style=style)
    if result.problems:
        sys.exit(EXIT_FINDINGS)
    if not result.valid:
        sys.exit(EXIT_UNFINISHED)


for command in (who, ingest, compact, pull, athena):
    cli.add_command(command)


def _leave(severities: Sequence[Severity], floor: Severity | None, failed: Mapping[str, str]) -> None:
    """With the exit code that fits what the rules found, and that some of them failed."""
    for rule, reason in failed.items():
        say(f"failed: {rule}: {reason}")
    if floor and any(at_least(severity, floor) for severity in severities):
        sys.exit(EXIT_FINDINGS)
    if failed:
        sys.exit(EXIT_UNFINISHED)
