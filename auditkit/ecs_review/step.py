"""What a step of the review comes to: checks with a verdict each, and the worst of them as the step's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from auditkit.findings import who
from auditkit.model import Finding

Verdict = Literal["good", "attention", "bad", "cannot_tell"]
# From the worst on. What cannot be told stands before what is good: a step is good only when all of it is proven.
VERDICTS: tuple[Verdict, ...] = ("bad", "attention", "cannot_tell", "good")
NAMED = 3  # of a list, in a sentence
SENTENCES = 2  # of the worst checks, in the sentence of a step

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    verdict: Verdict
    sentence: str  # with names as they were logged, so as hostile as the log
    do: str = ""  # what to do about it; empty when nothing
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows that a step was judged by."""

    title: str
    frame: pd.DataFrame = field(repr=False)
    question: str | None = None  # of the catalogue, that gave them


@dataclass(frozen=True, slots=True)
class About:
    """What holds for a step whatever the logs say."""

    number: int
    title: str
    why_it_matters: str
    cannot_show: str
    pci: tuple[str, ...] = ()
    look: str = ""  # what tells the rest, whatever the checks say


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the review."""

    about: About
    checks: tuple[Check, ...]  # worst first
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()  # that checks rest on

    @property
    def number(self) -> int:
        return self.about.number

    @property
    def title(self) -> str:
        return self.about.title

    @property
    def verdict(self) -> Verdict:
        return self.checks[0].verdict

    @property
    def sentence(self) -> str:
        """The worst checks in words."""
        worst = [check.sentence for check in self.checks if check.verdict == self.verdict]
        more = len(worst) - SENTENCES
        return " ".join(worst[:SENTENCES]) + (f" And {more:,} more of the kind." if more > 0 else "")

    @property
    def what_to_do(self) -> tuple[str, ...]:
        """What the checks ask for, the most pressing first, each once; then what tells the rest."""
        return tuple(dict.fromkeys(do for do in (*(check.do for check in self.checks), self.about.look) if do))

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Every event that a check rests on, sorted."""
        return tuple(sorted({event for check in self.checks for event in check.event_ids}))


def step(
    about: About, checks: Iterable[Check], evidence: Iterable[Evidence] = (), findings: Iterable[Finding] = ()
) -> Step:
    """A step of *checks*, of which there must be one at least."""
    ordered = tuple(sorted(checks, key=lambda check: VERDICTS.index(check.verdict)))
    return Step(about, ordered, tuple(evidence), tuple(findings))


def rows(frame: pd.DataFrame) -> list[Row]:
    """The rows of *frame* as dictionaries, None where there is no value."""
    values = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in values]


def parts(text: str | None, separator: str = ", ") -> list[str]:
    """The items of a list that a question gave as text."""
    return [part for part in (text or "").split(separator) if part]


def named(values: Iterable[object]) -> str:
    """The first few of *values*, each once, and how many more there are: `a, b and c`, `a, b, c and 4 more`."""
    every = list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
    shown, more = every[:NAMED], len(every) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def by(row: Row) -> str:
    """The principal of *row* in words, without its account: `user eve`."""
    return who(row["principal_arn"]).partition(" of account ")[0]


def whose(arn: str | None) -> str:
    """A principal at the beginning of a sentence: `User eve of account 111122223333`."""
    name = who(arn or None)
    return name[:1].upper() + name[1:]


def told(finding: Finding) -> str:
    """The sentence of a finding, with its time."""
    first, last = at(finding.first_seen), at(finding.last_seen)
    return f"{finding.summary.removesuffix('.')} ({first if first == last else f'{first} to {last}'})."


def ids(events: Sequence[Row]) -> tuple[str, ...]:
    """The event ids of *events*, each once, in their order."""
    return tuple(dict.fromkeys(str(row["event_id"]) for row in events if row.get("event_id")))


def quoted(*words: object) -> str:
    """Words of a command that somebody may copy into a shell: names in a log are chosen by whoever was logged."""
    return shlex.join(str(word).replace("`", "") for word in words)


def at(moment: datetime) -> str:
    """`2026-11-03 02:31 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
