"""From the words of a command to an open Audit, and from its answer to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from auditkit.engines.settings import SETTINGS
from auditkit.errors import ParameterError
from auditkit.model import Window, counted
from auditkit.parameters import names_in
from auditkit.terminal import asking, reading, say, show

if TYPE_CHECKING:
    from auditkit.audit import Audit
    from auditkit.engines.dialect import Statement
    from auditkit.sigma.found import SigmaRules

LISTED = 5  # unreadable files that are named at the terminal; the report and --format json name them all


@contextmanager
def opened(
    logs: tuple[str, ...],
    *,
    store: Path | None,
    since: str | None,
    until: str | None,
    flow_format: str | None,
    engine: str | None = None,
    baseline: str | None = None,
    networks: Path | None = None,
    geoip: tuple[Path, ...] = (),
    **reached: Any,
) -> Iterator[Audit]:
    """An Audit over what the command line names; what of it could not be read, and what was read elsewhere, is said."""
    shared: dict[str, Any] = {"since": since, "until": until, "baseline": baseline}
    shared |= {"networks": networks, "geoip": geoip}
    if engine and is_meant(engine, logs, store):
        if flow_format:
            raise ParameterError("--flow-format is for logs that are read here; a table has its columns.")
        with opened_there(engine, **shared, **reached) as audit:
            yield audit
        return
    check_engine_is_meant(reached)
    from auditkit import opening

    say_unknown_fields(flow_format)
    with reading() as progress:
        audit = opening.open(*logs, store=store, flow_format=flow_format, progress=progress, **shared)
    with audit:
        if audit.ingested and not audit.ingested.files + audit.ingested.known_files:
            say_no_files(logs)
        unread = [file for file in audit.store.books()["troubled"] if file["state"] in ("partial", "quarantined")]
        for file in unread[:LISTED]:
            say(f"quarantined: {file['key']}: {file['reason']}")
        if len(unread) > LISTED:
            more = counted(len(unread) - LISTED, "more file")
            say(f"quarantined: {more}; `auditkit findings --format json` names them all")
        yield audit


def is_meant(engine: str, logs: tuple[str, ...], store: Path | None) -> bool:
    """Whether an engine is to be asked: not, when logs are named and it is only a default. Raises: ParameterError."""
    if not (logs or store):
        return True
    if click.get_current_context().get_parameter_source("engine") == ParameterSource.COMMANDLINE:
        raise ParameterError(f"--engine {engine} reads tables of its own: leave out LOGS and --store, or the engine.")
    return False


def check_engine_is_meant(reached: dict[str, Any]) -> None:
    """Raises: ParameterError, for an option on the command line that is about an engine, where there is none."""
    context = click.get_current_context()
    for name in reached:
        # `coverage` has another use for these
        is_expected = name in ("accounts", "regions") and context.info_name == "coverage"
        if not is_expected and context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise ParameterError(f"--{name.replace('_', '-')} is for Athena and Trino. Name one: --engine athena.")


@contextmanager
def opened_there(
    engine: str,
    *,
    since: str | None,
    until: str | None,
    baseline: str | None = None,
    networks: Path | None = None,
    geoip: tuple[Path, ...] = (),
    accounts: str | None,
    regions: str | None,
    max_scan: str | None,
    **connection: Any,
) -> Iterator[Audit]:
    """An Audit over the tables of *engine*. What it will read is said before, and what it has read after."""
    from auditkit import opening

    # Every command has the options of both engines, and auditkit.toml may hold both's.
    connection = {name: value for name, value in connection.items() if name in SETTINGS[engine]}
    with (
        asking() as running,
        opening.open(
            engine=engine,
            since=since,
            until=until,
            baseline=baseline,
            networks=networks,
            geoip=geoip,
            max_scan=max_scan,
            say=say,
            running=running,
            accounts=names_in(accounts),
            regions=names_in(regions),
            **connection,
        ) as audit,
    ):
        try:
            yield audit
        finally:  # what was read is charged, whatever became of the rest
            if (remote := audit.remote) and remote.statements:
                say(f"{engine}: {remote.summary}")


def answer(
    statement: Statement,
    ask: Callable[[Audit], Any],
    logs: tuple[str, ...],
    style: str,
    out: Path | None,
    show_sql: bool,
    where: dict[str, Any],
    most: object = None,
) -> None:
    """The rows of one statement in the style asked for, or its SQL alone. *most* is the limit it was asked with."""
    from auditkit.output import write_rows

    if show_sql:
        show(statement.shown)
        return
    with opened(logs, **where) as audit:
        rows = ask(audit).table
        write_rows(rows, style, out=out, show=show)
        if rows.num_rows == most:
            say(f"Only the first {counted(rows.num_rows, 'row')}: there may be more. -p limit=N asks for as many.")


def prepared(text: str, params: dict[str, Any]) -> Statement:
    from auditkit.engines.dialect import prepare
    from auditkit.engines.sources import StoreSources

    return prepare(text, params, Window(), StoreSources())


def rules_of(sigma: Path | None) -> SigmaRules | None:
    """The Sigma rules of a folder that was named. Raises: SourceError, ParameterError."""
    if sigma is None:
        return None
    from auditkit.sigma import load

    return load(sigma)


def check_rules(names: tuple[str, ...], more: SigmaRules | None) -> None:
    from auditkit.catalogue import Catalogue

    catalogue = Catalogue.load().with_rules(more.rules if more else ()) if names else None
    for name in names:
        if more and name in more.left_out:
            continue  # which the run says
        if catalogue and catalogue.get(name).kind == "question":
            raise ParameterError(f"{name} is a question, not a rule. `auditkit query {name}` asks it.")


def check_allowlist(path: Path | None) -> None:
    """Raises: ParameterError, for an allowlist that cannot be read: before any log is."""
    if path is not None:
        from auditkit.allowlist import Allowlist

        Allowlist.read(path)


def say_unknown_fields(flow_format: str | None) -> None:
    """What of --flow-format is kept, but means nothing to auditkit. Raises: ParameterError."""
    if flow_format is None:
        return
    from auditkit.logs.flow_format import FlowFormat

    for field, close in FlowFormat.parse(flow_format).unknown.items():
        hint = f" (did you mean {close}?)" if close else ""
        say(f"--flow-format: {field} is no field of flow logs that auditkit knows{hint}; it is kept in `extra`.")


def say_no_files(logs: tuple[str, ...]) -> None:
    say(f"There are no files in {', '.join(logs)}. Name the folder that holds the exports.")
