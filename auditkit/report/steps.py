"""The blocks of a review: its steps in short, and each step with its checks and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditkit.errors import ReportError
from auditkit.report.block import Block
from auditkit.report.cells import safe, safe_values

VERDICTS = {"bad": "bad", "attention": "needs attention", "cannot_tell": "cannot tell", "good": "good"}  # in words


def checklist(items: Iterable[tuple[int, str, str, str]]) -> Block:
    """Steps in short, each leading to its own block: (number, title, verdict, sentence).

    Raises: ReportError, for a verdict that is none of VERDICTS.
    """
    data = [{"number": n, "title": safe(title), "sentence": safe(said), **_judged(v)} for n, title, v, said in items]
    return Block("checklist", {"items": data}, "; ".join(f"{one['number']} {one['word']}" for one in data) or "no step")


def step(
    number: int,
    title: str,
    verdict: str,
    checks: Iterable[tuple[str, str]],
    *,
    why_it_matters: str,
    cannot_show: str,
    what_to_do: Sequence[str] = (),
    pci: Sequence[str] = (),
) -> Block:
    """One step of a review; its heading is the notebook's.

    Args:
        checks: (verdict, sentence) of each thing that was looked at, worst first.
        what_to_do: Sentences, the most pressing first; words between backticks are commands.
    Raises: ReportError, for a verdict that is none of VERDICTS.
    """
    data = {
        "number": number,
        "title": safe(title),
        **_judged(verdict),
        "checks": [{"sentence": safe(sentence), **_judged(one)} for one, sentence in checks],
        "what_to_do": safe_values(what_to_do),
        "why_it_matters": safe(why_it_matters),
        "cannot_show": safe(cannot_show),
        "pci": safe_values(pci),
    }
    return Block("step", data, f"{number} {data['title']}: {data['word']}")


def _judged(verdict: str) -> dict[str, Any]:
    if verdict not in VERDICTS:
        raise ReportError(f"{verdict!r} is not a verdict of a step. Use one of {', '.join(VERDICTS)}.")
    return {"verdict": verdict, "word": VERDICTS[verdict]}
