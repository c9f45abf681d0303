"""Rules in, findings out: all match rules in one scan, all about what is new in another, aggregate rules one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from auditkit.aggregate_rules import worth_counting
from auditkit.allowlist import Allowed
from auditkit.cases import Cases
from auditkit.catalogue import Catalogue, Query
from auditkit.engines import ALWAYS, Engine
from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.errors import CatalogueError, ParameterError, QueryError, UnknownQueryError
from auditkit.findings import NOTHING_USUAL, finding, finding_id
from auditkit.match_rules import Bound, at_once, compiled, compiled_first_seen, probe
from auditkit.model import Finding, Parameter, Result, Value, Window, counted, worst_first
from auditkit.places import NO_PLACES, Places

NOTHING_TO_READ = {
    "cloudtrail_events": "no CloudTrail events in the window",
    "flow_records": "no flow records in the window",
}
NO_BASELINE = "no baseline to compare with (--baseline 14d, or a store of earlier logs)"
WORTH_SHARING = 3  # aggregate rules, from which on a scan in common is worth its copy of the events
EMPTY_BASELINE = "no CloudTrail events in the baseline"
# What a rule may be to blame for. An engine that cannot be reached, or may not read more, fails all rules alike.
ITS_OWN_FAULT = (CatalogueError, ParameterError, QueryError)


@dataclass(frozen=True)
class Baseline:
    """What came before a window, to tell what is new and what is usual in it."""

    engine: Engine  # reads what came before, and the window behind it
    window: Window  # ends where the window judged starts

    @property
    def since(self) -> datetime:
        """Where the window judged starts."""
        assert self.window.end
        return self.window.end


@dataclass
class RuleRun:
    """What came of the rules over one window. Every rule asked for is in exactly one of ran, failed and skipped."""

    findings: list[Finding] = field(default_factory=list)  # worst first
    ran: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)  # rule -> what went wrong
    skipped: dict[str, str] = field(default_factory=dict)  # rule -> what it found nothing of to read
    results: list[tuple[str, Result]] = field(default_factory=list)  # every statement, by what it was for
    allowed: Allowed | None = None  # what an allowlist made of the findings; None without one
    told: Cases = field(default_factory=lambda: Cases([], []))  # the findings as cases
    places: Places = NO_PLACES  # what their addresses are called

    @property
    def suppressed_ids(self) -> set[str]:
        return {one.finding.id for one in self.allowed.suppressed} if self.allowed else set()

    def of(self, prefix: str) -> list[Finding]:
        """The findings of rules whose names begin with *prefix*, such as `network.`, worst first."""
        return [finding for finding in self.findings if finding.rule.startswith(prefix)]

    @property
    def with_suppressed(self) -> list[Finding]:
        """All that the rules found, worst first, whatever the allowlist says of it."""
        held_back = [one.finding for one in self.allowed.suppressed] if self.allowed else []
        return worst_first([*self.findings, *held_back])


def evaluate(
    engine: Engine,
    catalogue: Catalogue,
    window: Window = ALWAYS,
    *,
    rules: Iterable[str] | None = None,
    values: Mapping[str, Mapping[str, Value]] | None = None,
    baseline: Baseline | None = None,
    places: Places = NO_PLACES,
) -> RuleRun:
    """Run *rules* (default: all of the catalogue) over *window*.

    A rule that fails is reported in the run and does not stop the others.

    Args:
        values: Parameters that differ from the rules' defaults, by rule.
        baseline: Without one, rules of kind first_seen are skipped, and nothing counts as usual.
        places: What addresses are called; a rule about addresses weighs less in trusted networks.
    Raises: UnknownQueryError and ParameterError, for *rules* and *values* that fit no rule; QueryError, when the tables
        themselves cannot be read; EngineError and ScanLimitError, of Athena and Trino.
    """
    chosen = _chosen(catalogue, rules)
    given = {_rule(catalogue, name).rule: params for name, params in (values or {}).items()}
    bound: Bound = {query.rule: query.bind(given.get(query.rule, {})) for query in chosen}
    run = RuleRun(places=places)
    ready = _with_something_to_read(engine, chosen, window, run)
    ready = _with_something_to_compare(ready, baseline, run)
    kinds = {kind: [query for query in ready if query.kind == kind] for kind in ("match", "first_seen", "aggregate")}
    for some in at_once(kinds["match"]):
        _run_matches(engine, some, bound, window, baseline, run)
    for some in at_once(kinds["first_seen"]):
        _run_first_seen(some, bound, window, baseline, run)
    narrow, narrowed = _narrowed(engine, kinds["aggregate"], bound, window, run)
    for query in kinds["aggregate"]:
        _run_aggregate(narrowed if query in narrow else engine, query, bound[query.rule], window, run)
    run.findings = worst_first(run.findings)
    run.ran = tuple(query.rule for query in ready if query.rule not in run.failed)
    return run


def _chosen(catalogue: Catalogue, names: Iterable[str] | None) -> list[Query]:
    if names is None:
        return list(catalogue.rules)
    return list({query.rule: query for query in (_rule(catalogue, name) for name in names)}.values())


def _rule(catalogue: Catalogue, name: str) -> Query:
    query = catalogue.get(name)
    if query.kind == "question":
        raise UnknownQueryError(name, (rule.rule for rule in catalogue.rules))
    return query


def _with_something_to_read(engine: Engine, queries: Sequence[Query], window: Window, run: RuleRun) -> list[Query]:
    """The queries all of whose tables hold records; the others are skipped, and the run says why."""
    empty = set()
    for table in sorted({table for query in queries for table in query.reads}):
        result = engine.run(probe(table), window=window)
        run.results.append((f"is there anything in {table}", result))
        if result.table.num_rows == 0:
            empty.add(table)
    for query in queries:
        if missing := sorted(empty.intersection(query.reads)):
            run.skipped[query.rule] = NOTHING_TO_READ[missing[0]]
    return [query for query in queries if query.rule not in run.skipped]


def _with_something_to_compare(queries: Sequence[Query], baseline: Baseline | None, run: RuleRun) -> list[Query]:
    """The queries without those that need a baseline and have none; the run says why."""
    comparing = [query for query in queries if query.kind == "first_seen"]
    if not comparing:
        return list(queries)
    reason = NO_BASELINE
    if baseline:
        result = baseline.engine.run(probe("cloudtrail_events"), window=baseline.window)
        run.results.append(("is there anything in the baseline", result))
        if result.table.num_rows:
            return list(queries)
        reason = EMPTY_BASELINE
    run.skipped |= {query.rule: reason for query in comparing}
    return [query for query in queries if query.rule not in run.skipped]


def _run_matches(
    engine: Engine, queries: Sequence[Query], bound: Bound, window: Window, baseline: Baseline | None, run: RuleRun
) -> None:
    """One statement for all of *queries*, and one over the baseline for those that fired."""

    def over(some: Sequence[Query]) -> Result:
        return engine.run(*compiled(some, bound), window=window)

    for some, result in _told_apart(queries, over, run):
        run.results.append((f"{counted(len(some), 'match rule')} in one scan", result))
        rows = result.table.to_pylist()
        fired = {row["rule"] for row in rows}
        usual = _usual([query for query in some if query.rule in fired], bound, baseline, run) if baseline else {}
        _add(rows, some, bound, run, usual)


def _usual(fired: Sequence[Query], bound: Bound, baseline: Baseline, run: RuleRun) -> dict[str, int]:
    """Of what *fired* finds in the baseline, by the id of the finding: on how many days it was done there."""
    if not fired:
        return {}
    result = baseline.engine.run(*compiled(fired, bound), window=baseline.window)
    run.results.append((f"what of {counted(len(fired), 'match rule')} is usual", result))
    by_rule = {query.rule: query for query in fired}
    return {finding_id(by_rule[row["rule"]], row): row["day_count"] for row in result.table.to_pylist()}


def _run_first_seen(
    queries: Sequence[Query], bound: Bound, window: Window, baseline: Baseline | None, run: RuleRun
) -> None:
    """One statement for all of *queries*, over the baseline and the window."""
    assert baseline
    both = Window(baseline.window.start, window.end)

    def over(some: Sequence[Query]) -> Result:
        return baseline.engine.run(*compiled_first_seen(some, bound, baseline.since), window=both)

    for some, result in _told_apart(queries, over, run):
        run.results.append((f"{counted(len(some), 'rule')} about what is new in one scan", result))
        _add(result.table.to_pylist(), some, bound, run)


def _told_apart(
    queries: Sequence[Query], over: Callable[[Sequence[Query]], Result], run: RuleRun
) -> Iterator[tuple[Sequence[Query], Result]]:
    """What *over* all queries gives; when it fails, over each half, until the rule at fault stands alone."""
    try:
        result = over(queries)
    except ITS_OWN_FAULT as error:
        if len(queries) == 1:
            run.failed[queries[0].rule] = str(error)
            return
        middle = len(queries) // 2
        yield from _told_apart(queries[:middle], over, run)
        yield from _told_apart(queries[middle:], over, run)
        return
    yield queries, result


def _add(
    rows: Sequence[Mapping[str, Any]],
    queries: Sequence[Query],
    bound: Bound,
    run: RuleRun,
    usual: Mapping[str, int] = NOTHING_USUAL,
) -> None:
    """The findings in rows that each name their rule."""
    by_rule = {query.rule: query for query in queries}
    shown = {rule: _shown(by_rule[rule], bound[rule]) for rule in {row["rule"] for row in rows}}
    for row in rows:
        if found := finding(by_rule[row["rule"]], row, shown[row["rule"]], usual, run.places):
            run.findings.append(found)


def _narrowed(
    engine: Engine, queries: Sequence[Query], bound: Bound, window: Window, run: RuleRun
) -> tuple[Sequence[Query], Engine]:
    """Those of *queries* that say which events they count, and an engine with these events alone: one scan for all."""
    if not isinstance(engine, DuckDBEngine) or len(queries) < WORTH_SHARING:
        return [], engine
    try:
        narrow, sql = worth_counting(queries, bound)
        if len(narrow) < WORTH_SHARING:
            return [], engine
        narrowed, result = engine.narrowed("cloudtrail_events", sql, window=window)
    except ITS_OWN_FAULT:  # of one of the rules: each by itself says which
        return [], engine
    run.results.append((f"what {counted(len(narrow), 'aggregate rule')} count in one scan", result))
    return narrow, narrowed


def _shown(query: Query, params: Mapping[str, Parameter]) -> str:
    """A rule by itself with its values filled in: what it shares a statement with is nothing to its reader."""
    return bind(parse(query.sql), params).sql("trino", pretty=True)


def _run_aggregate(engine: Engine, query: Query, params: Mapping[str, Parameter], window: Window, run: RuleRun) -> None:
    try:
        result = engine.run(query.sql, params, window=window)
        found = [finding(query, row, result.sql, places=run.places) for row in result.table.to_pylist()]
    except ITS_OWN_FAULT as error:
        run.failed[query.rule] = str(error)
    except KeyError as error:
        run.failed[query.rule] = f"{query.path} selects no column {error}, which every finding needs."
    else:
        run.results.append((query.name, result))
        run.findings += [one for one in found if one]
