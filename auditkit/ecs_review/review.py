"""All nine steps, and what they come to in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.ecs_review import access, groups, images, roles, secrets, traffic, trail
from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import VERDICTS, Step, Verdict
from auditkit.model import counted

_WORDS: dict[Verdict, tuple[str, str]] = {  # of one step, of several
    "bad": ("is bad", "are bad"),
    "attention": ("needs attention", "need attention"),
    "cannot_tell": ("cannot be told", "cannot be told"),
    "good": ("is good", "are good"),
}


def review(facts: Facts) -> list[Step]:
    """The steps in their order. A step is good only where the logs prove it; silence is `cannot_tell`."""
    return [
        groups.security_groups(facts),
        secrets.secrets(facts),
        roles.roles(facts),
        access.cluster_access(facts),
        images.images(facts),
        trail.api_logging(facts),
        access.shells(facts),
        traffic.public_addresses(facts),
        traffic.rejected_traffic(facts),
    ]


def in_short(steps: Sequence[Step]) -> str:
    """`Of 9 steps 5 are bad, 2 need attention, 2 cannot be told.`"""
    counts = {verdict: sum(1 for step in steps if step.verdict == verdict) for verdict in VERDICTS}
    told = [f"{count} {_WORDS[verdict][count != 1]}" for verdict, count in counts.items() if count]
    return f"Of {counted(len(steps), 'step')} {', '.join(told)}."
