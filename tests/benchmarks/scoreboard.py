"""What the rules find in logs that nobody here wrote, how much they say of an ordinary day, and what they cost.

    python -m tests.benchmarks.scoreboard [EVENTS] [RUNS]

Public logs of attacks are read from the folder that AUDITKIT_REAL_LOGS names, `../shared/data` beside the checkout if
it names none: `stratus-red-team/*.json`, a file for each technique, and `panther-analysis/cloudtrail_tests.jsonl`, an
event a line with what its authors expect of one rule of theirs. Whether they or we are right, a human judges.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import auditkit
from auditkit.catalogue import Catalogue
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.model import SEVERITIES, Finding, at_least
from auditkit.rules import evaluate
from auditkit.store import Store
from tests.benchmarks.generate import write_trail
from tests.benchmarks.measure import CHECKOUT, ratio, used
from tests.benchmarks.synthetic import FIRST_DAY
from tests.benchmarks.table import Desk, Line, at_most, counted, main

TECHNIQUES, LABELLED = "stratus-red-team", "panther-analysis/cloudtrail_tests.jsonl"
FEW, MORE = 50, 150  # rules whose cost is compared
SHUFFLED = 5  # the seed that chooses them
TOOL_NAMED = "iam.attack_tool"  # fires on the name of the tool that made these logs, which no thief keeps


def score(desk: Desk, *, events: int, runs: int) -> Iterator[Line]:
    folder = Path(os.environ.get("AUDITKIT_REAL_LOGS") or CHECKOUT.parent / "shared" / "data")
    if any((folder / name).exists() for name in (TECHNIQUES, LABELLED)):
        yield from techniques(desk, folder / TECHNIQUES)
        yield from labelled(desk, folder / LABELLED)
    else:
        yield Line("NO REAL LOGS WERE SCORED", f"there are none in {folder}: set AUDITKIT_REAL_LOGS")
    logs, store = desk.logs(f"trail-{events}", partial(write_trail, events=events)), desk.fresh("ordinary")
    used("ingest", logs, store)
    used("compact", store)
    yield from noise(desk, store, events)
    yield from cost(desk, store, events, runs)


def techniques(desk: Desk, folder: Path) -> Iterator[Line]:
    """Of each technique's log the rules that fired, the worst first."""
    lines = []
    for path in sorted(folder.glob("*.json")):
        desk.say(path.stem)
        with auditkit.open(path) as audit:
            lines.append(technique(path.stem, audit.evaluate().findings))
    found = sum(line.ok or False for line in lines)
    yield Line("techniques found at medium or above", str(found), f">= {len(lines)}", found == len(lines))
    yield from lines


def technique(name: str, findings: Iterable[Finding]) -> Line:
    """*findings* are the worst first. What only tells the tool by its name does not count."""
    telling = [finding for finding in findings if finding.rule != TOOL_NAMED]
    rules = {f"{finding.rule} ({finding.severity})": None for finding in telling}
    worst = telling[0].severity if telling else "nothing"
    found = any(at_least(finding.severity, "medium") for finding in telling)
    return Line(f"  {name}", ", ".join([worst, *rules]), "medium", found)


class Label(NamedTuple):
    """What the authors of an event expect of one of their rules, and what ours make of it."""

    theirs: str  # rule: name of the test
    expected: bool
    call: str
    ours: tuple[str, ...]

    @property
    def agreed(self) -> bool:
        return self.expected == bool(self.ours)


def labelled(desk: Desk, path: Path) -> Iterator[Line]:
    """How often our rules say what the label says, and each event of which they do not."""
    desk.say("labelled events")
    tests = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    logs = desk.fresh("labelled")
    logs.mkdir(parents=True)
    (logs / "events.jsonl").write_text("\n".join(json.dumps(event) for event in apart(tests)), encoding="utf-8")
    with auditkit.open(logs) as audit:
        report, findings = audit.ingested, audit.evaluate().findings
    labels = judged(tests, findings)
    yield from agreement(labels)
    if report and report.quarantine:
        yield Line("  labelled events that cannot be read", str(report.quarantined_records))
    for label in labels:
        if not label.agreed:
            yield Line(
                f"  {label.theirs}",
                f"{label.call}: {', '.join(label.ours) or 'nothing of ours'}",
                "a finding" if label.expected else "none",
            )


def apart(tests: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The events of the *tests*, each with an id and a day of its own: rules that count must not add up two tests."""
    for number, test in enumerate(tests):
        day = FIRST_DAY + timedelta(days=number)
        yield {**test["log"], "eventID": str(number), "eventTime": f"{day:%Y-%m-%dT%H:%M:%SZ}"}


def judged(tests: Sequence[Mapping[str, Any]], findings: Iterable[Finding]) -> list[Label]:
    fired: dict[str, set[str]] = {}
    for finding in findings:
        for event_id in finding.evidence:
            fired.setdefault(event_id, set()).add(finding.rule)
    return [
        Label(
            f"{test['rule']}: {test['name']}",
            test["expected"],
            f"{str(test['log'].get('eventSource')).partition('.')[0]} {test['log'].get('eventName')}",
            tuple(sorted(fired.get(str(number), ()))),
        )
        for number, test in enumerate(tests)
    ]


def agreement(labels: Sequence[Label]) -> Iterator[Line]:
    yield Line("labelled events on which we agree", f"{sum(one.agreed for one in labels)} of {len(labels)}")
    for expected, what in ((True, "they expect a finding"), (False, "they expect none")):
        of_kind = [label for label in labels if label.expected == expected]
        yield Line(f"  {what}", f"{sum(bool(one.ours) for one in of_kind)} of {len(of_kind)} fire a rule of ours")


def noise(desk: Desk, store: Path, events: int) -> Iterator[Line]:
    """What an ordinary day is told of: nothing in it is an attack."""
    desk.say(f"findings of {counted(events)} ordinary events")
    run = evaluate(DuckDBEngine(Store(store).parts()), Catalogue.load())
    yield Line(f"findings per 1,000 of {counted(events)} ordinary events", _each_thousand(len(run.findings), events))
    yield from by_severity(run.findings, events)
    for rule, reason in run.failed.items():
        yield Line(f"  FAILED: {rule}", reason)


def by_severity(findings: Iterable[Finding], events: int) -> Iterator[Line]:
    """Findings per 1,000 events, and which rules have most of them."""
    worst = sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
    for severity, group in groupby(worst, key=lambda finding: finding.severity):
        rules = Counter(finding.rule for finding in group)
        most = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common(5))
        yield Line(f"  {severity}", f"{_each_thousand(rules.total(), events)}: {most}")


def _each_thousand(count: int, events: int) -> str:
    return f"{1000 * count / events:.2f}"


def cost(desk: Desk, store: Path, events: int, runs: int) -> Iterator[Line]:
    """Fifty rules, the same and a hundred more, all: of every kind as many as chance gives."""
    catalogue, engine = Catalogue.load(), DuckDBEngine(Store(store).parts())
    names = sorted(query.rule for query in catalogue.rules)
    random.Random(SHUFFLED).shuffle(names)
    sides = {count: names[:count] for count in (FEW, MORE, len(names))}
    taken_ms: dict[int, list[float]] = {side: [] for side in sides}
    statements: dict[int, int] = {}
    for turn in range(runs + 1):  # the first one is thrown away
        desk.say(f"rules over {counted(events)} events, {turn} of {runs}")
        for side, rules in sides.items():
            start = time.perf_counter()
            run = evaluate(engine, catalogue, rules=rules)
            if turn:
                taken_ms[side].append((time.perf_counter() - start) * 1e3)
            statements[side] = len(run.results)
    for side in sides:
        wall = f"{sorted(taken_ms[side])[runs // 2]:.0f} ms"
        yield Line(f"{side} rules over {counted(events)} events", f"{wall}, {statements[side]} statements")
    yield at_most(f"  {MORE} / {FEW}", ratio(taken_ms[MORE], taken_ms[FEW]), 1.5, "{:.2f} x")
    yield Line(f"  {len(names)} / {FEW}", f"{ratio(taken_ms[len(names)], taken_ms[FEW]):.2f} x")


if __name__ == "__main__":
    main(score, __doc__, events=100_000, runs=5)
