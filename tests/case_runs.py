"""Running the YAML cases: what their rows give, cut to the columns that the cases name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from auditkit.catalogue import Catalogue, Kind
from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.dialect import prepare
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.duckdb_sql import duckdb_sql
from auditkit.engines.plain import plain
from auditkit.engines.sources import STORED
from auditkit.model import Parameter, Result, Window, iso
from auditkit.rules import Baseline, evaluate
from tests.cases import ACCOUNT, START, Case

Rows = list[dict[str, Any]]

# A case of a rule about what is new: what it dates before is the baseline.
CASE_WINDOW = Window(START.replace(tzinfo=UTC))
BEFORE = timedelta(days=14)


class CaseEngine(DuckDBEngine):
    """DuckDB for hundreds of cases: one connection, and each statement is put into DuckDB's words only once."""

    def __init__(self) -> None:
        super().__init__({})
        self._written: dict[str, tuple[str, str]] = {}

    def holding(self, tables: Mapping[str, pa.Table]) -> CaseEngine:
        for name, table in tables.items():
            self._connection.register(STORED + name, table)
        return self

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        key = repr((sql, sorted(params.items()), window))
        if key not in self._written:
            statement = prepare(sql, params, window, self._sources)
            self._written[key] = statement.shown, duckdb_sql(statement)
        shown, written = self._written[key]
        return Result(plain(self._connection.sql(written).to_arrow_table()), shown, self.name, 0.0)


def run_all(catalogue: Catalogue, cases: Sequence[Case], engine: CaseEngine) -> dict[str, Rows]:
    """What each case gives, by its name: rows, or for a rule findings as JSON.

    The cases of rules that share a scan run as one, as they do in life, each in an account of its own; the others one
    by one.
    """
    found: dict[str, Rows] = {}
    for kind in ("match", "first_seen"):
        together = [case for case in cases if catalogue.get(case.query).kind == kind and _is_plain(case)]
        found |= _run_together(catalogue, together, engine)
    return found | {str(case): _run_alone(catalogue, case, engine) for case in cases if str(case) not in found}


def _is_plain(case: Case) -> bool:
    return not case.params and case.window == ALWAYS


def _judged_in(case: Case, kind: Kind, engine: CaseEngine) -> tuple[Window, Baseline | None]:
    """The window of a case, and for a rule about what is new the baseline before it."""
    if kind != "first_seen":
        return case.window, None
    window = case.window if case.window.start else CASE_WINDOW
    assert window.start
    return window, Baseline(engine, Window(window.start - BEFORE, window.start))


def _run_together(catalogue: Catalogue, cases: Sequence[Case], engine: CaseEngine) -> dict[str, Rows]:
    if not cases:
        return {}
    accounts = {f"{number:012}": case for number, case in enumerate(cases, start=1)}
    tables = [_moved(case.tables["cloudtrail_events"], account) for account, case in accounts.items()]
    engine.holding({"cloudtrail_events": pa.concat_tables(tables)})
    window, baseline = _judged_in(cases[0], catalogue.get(cases[0].query).kind, engine)
    run = evaluate(engine, catalogue, window, rules=sorted({case.query for case in cases}), baseline=baseline)
    assert not run.failed, run.failed
    found: dict[str, Rows] = {str(case): [] for case in cases}
    for finding in run.findings:
        case = accounts[finding.account_id or ""]
        if finding.rule == catalogue.get(case.query).rule:
            at_home = json.dumps(finding.as_json()).replace(finding.account_id or "", ACCOUNT)
            found[str(case)].append(json.loads(at_home))
    return found


def _moved(table: pa.Table, account: str) -> pa.Table:
    """*table* with another number for the account it is about, wherever the number stands."""
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(at, field, pc.replace_substring(table.column(at), ACCOUNT, account))
    return table


def _run_alone(catalogue: Catalogue, case: Case, engine: CaseEngine) -> Rows:
    query = catalogue.get(case.query)
    engine.holding(case.tables)
    if query.kind == "question":
        return engine.run(query.sql, query.bind(case.params), window=case.window).table.to_pylist()
    window, baseline = _judged_in(case, query.kind, engine)
    run = evaluate(engine, catalogue, window, rules=[query.rule], values={query.rule: case.params}, baseline=baseline)
    assert not run.failed, run.failed
    return [finding.as_json() for finding in run.findings]


def named(rows: Rows, expect: Rows) -> Rows:
    """Each of *rows* with the columns that *expect* names in the same place; a row too many keeps all of its own."""
    keys = [*expect, *rows[len(expect) :]]
    return [
        {key: _plain(row.get(key, "no such column")) for key in named} for row, named in zip(rows, keys, strict=False)
    ]


def expected(case: Case) -> Rows:
    return [{key: _plain(value) for key, value in row.items()} for row in case.expect]


def _plain(value: Any) -> Any:
    return iso(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else value
