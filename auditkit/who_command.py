"""The command `who`: a subject in, and everything that the logs know of it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditkit.errors import ParameterError
from auditkit.identity.subject import KINDS, Kind, words
from auditkit.options import Grouped, format_of, out_file, with_logs, with_places
from auditkit.terminal import show


@click.command(cls=Grouped)
@click.argument("subject")
@with_logs
@click.option("--kind", type=click.Choice(KINDS), help="What SUBJECT is, where things of several kinds have that name.")
@click.option("--policy", "as_policy", is_flag=True, help="Print the policy that would have allowed what SUBJECT used.")
@click.option(
    "--granted",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare what is granted, as `aws iam get-account-authorization-details` prints it, with what was used.",
)
@with_places
@format_of("table", "json")
@out_file
def who(
    subject: str,
    logs: tuple[str, ...],
    kind: Kind | None,
    as_policy: bool,
    granted: Path | None,
    style: str,
    out: Path | None,
    **where: Any,
) -> None:
    """Tell who somebody is, or who is behind something.

    SUBJECT is a principal, session, access key, address or network, user agent or a part of one, secret, instance, or
    an ECS task, service or cluster; by its ARN, id or name. The answer comes in one sentence with its certainty, then
    the chain of credentials with one proof a step, then what it did, was denied and touched, from where, the findings
    and what the network refused.

    With --policy or --granted, SUBJECT is a user or role.
    """
    from auditkit.asking import opened
    from auditkit.identity import answer_text, policy_text
    from auditkit.identity.granted import Details
    from auditkit.output import write_text
    from auditkit.terminal import busy

    details = Details.read(granted) if granted else None  # a slip is told before any log is read
    if (as_policy or details) and kind not in (None, "principal"):
        raise ParameterError(f"A policy is of a user or role, not of a {words(kind or 'principal')}. Leave out --kind.")
    with opened(logs, **where) as audit, busy(f"looking for {subject}"):
        if as_policy or details:
            text = policy_text.in_style(audit.policy(subject), style, details=details, with_policy=as_policy)
        else:
            text = answer_text.in_style(audit.who(subject, kind=kind), style)
    write_text(text, out=out, show=show)
