"""From the words of a command to an open Audit, and from its answer to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.errors import ParameterError
from auditkit.model import Window, counted
from auditkit.terminal import reading, say, show

if TYPE_CHECKING:
    from auditkit.audit import Audit
    from auditkit.engines.dialect import Statement

LISTED = 5  # unreadable files that are named at the terminal; the report and --format json name them all


@contextmanager
def opened(
    logs: tuple[str, ...], *, store: Path | None, since: str | None, until: str | None, flow_format: str | None
) -> Iterator[Audit]:
    """An Audit over what the command line names; what of it could not be read is said."""
    from auditkit import audit as audits

    say_unknown_fields(flow_format)
    with reading() as progress:
        audit = audits.open(*logs, store=store, since=since, until=until, flow_format=flow_format, progress=progress)
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


def check_rules(names: tuple[str, ...]) -> None:
    from auditkit.catalogue import Catalogue

    catalogue = Catalogue.load() if names else None
    for name in names:
        if catalogue and catalogue.get(name).kind == "question":
            raise ParameterError(f"{name} is a question, not a rule. `auditkit query {name}` asks it.")


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
