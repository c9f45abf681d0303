"""The command `who`: a subject in, and everything that the logs know of it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditkit.identity.subject import KINDS, Kind
from auditkit.options import Grouped, format_of, out_file, with_logs
from auditkit.terminal import show


@click.command(cls=Grouped)
@click.argument("subject")
@with_logs
@click.option("--kind", type=click.Choice(KINDS), help="What SUBJECT is, where things of several kinds have that name.")
@format_of("table", "json")
@out_file
def who(subject: str, logs: tuple[str, ...], kind: Kind | None, style: str, out: Path | None, **where: Any) -> None:
    """Tell who somebody is, or who is behind something.

    SUBJECT is a principal, session, access key, address or network, user agent or a part of one, secret, instance, or
    an ECS task, service or cluster; by its ARN, id or name. The answer comes in one sentence with its certainty, then
    the chain of credentials with one proof a step, then what it did, was denied and touched, from where, the findings
    and what the network refused.
    """
    from auditkit.asking import opened
    from auditkit.identity.answer_text import in_style
    from auditkit.output import write_text
    from auditkit.terminal import busy

    with opened(logs, **where) as audit, busy(f"looking for {subject}"):
        answer = audit.who(subject, kind=kind)
    write_text(in_style(answer, style), out=out, show=show)
