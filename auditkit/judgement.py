"""How severe a finding is: as its rule says, and a step less where the finding gives a reason.

The reasons: an attempt, automation's work, a habit, and, for rules about addresses alone, a trusted network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from auditkit.model import Outcome, Severity, counted, one_lower

USUAL_DAYS = 3  # of the baseline, on which the same finding makes it a habit
ROUTINE = frozenset({"automation", "service"})  # hands whose work is mostly as it should be

TRIED = "It was tried and not done"
TRIED_FIRST = "It succeeded after attempts that were refused or failed."
_MADE_BY = {
    ("automation",): "Only automation made these calls",
    ("service",): "Only AWS services made these calls",
    ("automation", "service"): "Only automation and AWS services made these calls",
}


def weigh(
    header: Mapping[str, Any],
    *,
    outcome: Outcome,
    hands: Sequence[str] = (),
    usual_days: int = 0,
    trusted: Sequence[str] = (),
    tried_first: bool = False,
) -> tuple[Severity, tuple[str, ...]]:
    """The severity of one finding of a rule, and the sentences that say what moved it.

    Args:
        header: The rule's: `severity`, `attempts`, `hands`, `addresses`.
        hands: Whose hands made the calls, sorted; empty where that is not known.
        usual_days: Days of the baseline with the same finding.
        trusted: The trusted networks in which all its addresses lie, by label. They count where the rule says
            `addresses: lower`: it asks whose address that is, and this answers. Elsewhere a deed is no better for
            having been done at the office.
    """
    milder = []
    if outcome != "ok" and header.get("attempts", "lower") == "lower":
        milder.append(TRIED)
    if hands and ROUTINE.issuperset(hands) and header.get("hands", "lower") == "lower":
        milder.append(_MADE_BY[tuple(hands)])
    if usual_days >= USUAL_DAYS:
        milder.append(f"It is usual here: the same on {counted(usual_days, 'day')} of the baseline")
    if trusted and header.get("addresses") == "lower":
        milder.append(f"Every address is in a trusted network, {', '.join(trusted)}")
    severity = cast(Severity, header["severity"])
    reasons = [TRIED_FIRST] if tried_first else []
    for reason in milder:
        lower = one_lower(severity)
        if lower != severity:
            reasons.append(f"{reason}: {lower} instead of {severity}.")
        severity = lower
    return severity, tuple(reasons)
