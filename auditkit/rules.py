"""Rules in, findings out: all match rules in one scan, aggregate rules one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.catalogue import Catalogue, Query
from auditkit.engines import ALWAYS, Engine
from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse
from auditkit.errors import CatalogueError, ParameterError, QueryError, UnknownQueryError
from auditkit.findings import finding
from auditkit.match_rules import AT_ONCE, Bound, compiled, probe
from auditkit.model import Finding, Parameter, Result, Value, Window, counted, worst_first

NOTHING_TO_READ = {
    "cloudtrail_events": "no CloudTrail events in the window",
    "flow_records": "no flow records in the window",
}
# What a rule may be to blame for. An engine that cannot be reached, or may not read more, fails all rules alike.
ITS_OWN_FAULT = (CatalogueError, ParameterError, QueryError)


@dataclass
class RuleRun:
    """What came of the rules over one window. Every rule asked for is in exactly one of ran, failed and skipped."""

    findings: list[Finding] = field(default_factory=list)  # worst first
    ran: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)  # rule -> what went wrong
    skipped: dict[str, str] = field(default_factory=dict)  # rule -> what it found nothing of to read
    results: list[tuple[str, Result]] = field(default_factory=list)  # every statement, by what it was for


def evaluate(
    engine: Engine,
    catalogue: Catalogue,
    window: Window = ALWAYS,
    *,
    rules: Iterable[str] | None = None,
    values: Mapping[str, Mapping[str, Value]] | None = None,
) -> RuleRun:
    """Run *rules* (default: all of the catalogue) over *window*.

    A rule that fails is reported in the run and does not stop the others.

    Args:
        values: Parameters that differ from the rules' defaults, by rule.
    Raises: UnknownQueryError and ParameterError, for *rules* and *values* that fit no rule; QueryError, when the tables
        themselves cannot be read; EngineError and ScanLimitError, of Athena and Trino.
    """
    chosen = _chosen(catalogue, rules)
    given = {_rule(catalogue, name).rule: params for name, params in (values or {}).items()}
    bound: Bound = {query.rule: query.bind(given.get(query.rule, {})) for query in chosen}
    run = RuleRun()
    ready = _with_something_to_read(engine, chosen, window, run)
    matches = [query for query in ready if query.kind == "match"]
    for start in range(0, len(matches), AT_ONCE):
        _run_matches(engine, matches[start : start + AT_ONCE], bound, window, run)
    for query in ready:
        if query.kind == "aggregate":
            _run_aggregate(engine, query, bound[query.rule], window, run)
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


def _run_matches(engine: Engine, queries: Sequence[Query], bound: Bound, window: Window, run: RuleRun) -> None:
    """One statement for all of *queries*; when it fails, one for each half, until the rule at fault stands alone."""
    try:
        result = engine.run(*compiled(queries, bound), window=window)
    except ITS_OWN_FAULT as error:
        if len(queries) == 1:
            run.failed[queries[0].rule] = str(error)
            return
        middle = len(queries) // 2
        _run_matches(engine, queries[:middle], bound, window, run)
        _run_matches(engine, queries[middle:], bound, window, run)
        return
    run.results.append((f"{counted(len(queries), 'match rule')} in one scan", result))
    by_rule = {query.rule: query for query in queries}
    shown = {rule: _shown(by_rule[rule], bound[rule]) for rule in set(result.table["rule"].to_pylist())}
    for row in result.table.to_pylist():
        if found := finding(by_rule[row["rule"]], row, shown[row["rule"]]):
            run.findings.append(found)


def _shown(query: Query, params: Mapping[str, Parameter]) -> str:
    """A rule by itself with its values filled in: what it shares a statement with is nothing to its reader."""
    return bind(parse(query.sql), params).sql("trino", pretty=True)


def _run_aggregate(engine: Engine, query: Query, params: Mapping[str, Parameter], window: Window, run: RuleRun) -> None:
    try:
        result = engine.run(query.sql, params, window=window)
        found = [finding(query, row, result.sql) for row in result.table.to_pylist()]
    except ITS_OWN_FAULT as error:
        run.failed[query.rule] = str(error)
    except KeyError as error:
        run.failed[query.rule] = f"{query.path} selects no column {error}, which every finding needs."
    else:
        run.results.append((query.name, result))
        run.findings += [one for one in found if one]
