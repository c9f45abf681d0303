"""The sections of a report that tell findings as cases, and what the allowlist did with the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from auditkit.allowlist import Allowed
from auditkit.cases import Case, Cases
from auditkit.model import Finding, counted
from auditkit.report import blocks
from auditkit.report.block import Block

MOST_CASES = 20  # told with their timelines; a table names all of them

_CASE = ["severity", "title", "first_seen", "last_seen", "finding_count", "event_count", "principals", "case_id"]
_STEP = ["time", "severity", "summary", "until", "finding_id"]
_SUPPRESSED = [
    "severity", "title", "principal_arn", "resource", "first_seen", "last_seen", "event_count", "reason", "owner",
    "expires", "entry", "account_id", "finding_id",
]  # fmt: skip


def cases(found: Cases, earlier: Collection[str] | None = None) -> list[Block]:
    """The stories, worst first, each with its timeline.

    Args:
        earlier: Finding ids of an earlier run; None: there was none.
    """
    if not found.cases:
        alone = f": {counted(len(found.alone), 'finding')} without a connection" if found.alone else ""
        return [blocks.note(f"No findings belong together{alone}.")]
    told = sum(len(case.findings) for case in found.cases)
    shown = [
        blocks.note(
            f"{told:,} findings belong to {counted(len(found.cases), 'case')}; {len(found.alone):,} "
            "stand alone. A case joins what one principal did in one span with what it led to."
        )
    ]
    if len(found.cases) > 1:
        shown.append(blocks.table(_overview(found.cases), title="Cases"))
    for case in found.cases[:MOST_CASES]:
        steps = pd.DataFrame([step.as_json() for step in case.timeline], columns=_STEP)
        for name in ("time", "until"):
            steps[name] = pd.to_datetime(steps[name], utc=True)
        shown.append(blocks.table(steps, title=case.title, about=_about(case, earlier)))
    if len(found.cases) > MOST_CASES:
        shown.append(blocks.note(f"The timelines are of the {MOST_CASES} worst cases; the table names all of them."))
    return shown


def allowed(what: Allowed | None) -> list[Block]:
    """What the allowlist suppressed, with who answers for it, and what its entries have to say."""
    if what is None:
        return [blocks.note("Nothing is suppressed: there is no allowlist.")]
    shown = [blocks.note(notice.text, "info" if notice.kind == "expiring" else "warning") for notice in what.notices]
    rows = [
        {name: getattr(one.finding, name) for name in _SUPPRESSED if name in Finding.__slots__}
        | {"finding_id": one.finding.id, "entry": one.entry.number, "reason": one.entry.reason}
        | {"owner": one.entry.owner, "expires": one.entry.expires.isoformat()}
        for one in what.suppressed
    ]
    table = blocks.table(
        pd.DataFrame(rows, columns=_SUPPRESSED),
        title="Suppressed findings",
        about="They were found and are not counted: somebody looked at each and answers for it until a day.",
        empty="The allowlist suppressed nothing.",
    )
    return [*shown, table]


def _overview(found: Sequence[Case]) -> pd.DataFrame:
    rows = [
        (c.severity, c.title, c.first_seen, c.last_seen, len(c.findings), c.event_count, list(c.principals), c.id)
        for c in found
    ]
    return pd.DataFrame(rows, columns=_CASE)


def _about(case: Case, earlier: Collection[str] | None) -> str:
    """Who is in it, and how much of it an earlier run did not have."""
    who = f"Principals: {', '.join(case.principals)}." if case.principals else "No principal is named."
    if earlier is None:
        return who
    fresh = sum(1 for finding in case.findings if finding.id not in earlier)
    return f"{who} {fresh or 'None'} of the {len(case.findings)} findings {'is' if fresh == 1 else 'are'} new."
