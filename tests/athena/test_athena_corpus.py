"""Every question and every rule, on every case: Athena answers what DuckDB answers, rows and types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from auditkit.catalogue import Catalogue
from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.athena.engine import AthenaEngine
from auditkit.model import Parameter, Result, Window
from tests.athena.conftest import Engines, Lab
from tests.case_runs import CaseEngine, expected, named, run_all
from tests.cases import all_cases

CATALOGUE = Catalogue.load()
CASES = list(all_cases())
TWO_YEARS = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))  # all cases lie in them


class Both:
    """Two engines over the same tables, each statement asked of both."""

    name = "athena"

    def __init__(self, lab: Lab, athena: AthenaEngine) -> None:
        self._lab, self._athena, self._duckdb = lab, athena, CaseEngine()
        self.statements = 0

    def holding(self, tables: Mapping[str, pa.Table]) -> Both:
        for table, rows in tables.items():
            self._lab.hold(table, rows)
        self._duckdb.holding(tables)
        return self

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        span = Window(window.start or TWO_YEARS.start, window.end or TWO_YEARS.end)
        ours, theirs = self._athena.run(sql, params, window=span), self._duckdb.run(sql, params, window=span)
        assert ours.table.schema == theirs.table.schema, sql
        assert ours.table.to_pylist() == theirs.table.to_pylist(), sql
        assert ours.sql == theirs.sql
        self.statements += 1
        return ours


def test_athena_answers_every_question_and_every_rule_as_duckdb_does(lab: Lab, engine_with: Engines) -> None:
    engine: Any = Both(lab, engine_with(result_reuse_minutes=0))
    found = run_all(CATALOGUE, CASES, engine)
    assert engine.statements > len(CATALOGUE.queries)
    for case in CASES:
        assert named(found[str(case)], case.expect) == expected(case), case
