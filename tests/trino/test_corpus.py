"""Every query and every rule on a real Trino: the same rows, of the same types, as on DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from auditkit.catalogue import Catalogue
from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.settings import TrinoSettings
from auditkit.engines.trino.engine import TrinoEngine
from auditkit.model import Parameter, Result, Window
from auditkit.schema import TABLES
from tests.case_runs import CaseEngine, Rows, expected, named, run_all
from tests.cases import Case, all_cases
from tests.trino.server import Trino

SCHEMA = "cases"
CATALOGUE = Catalogue.load()
CASES = [case for case in all_cases() if not CATALOGUE.get(case.query).runs_here]
# Trino is always asked about a window with two sides. All cases lie in this one.
WINDOW = Window(datetime(2025, 7, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC))


class BothEngines(CaseEngine):
    """Each statement on DuckDB and on Trino, whose answers must be the same to the type."""

    def __init__(self, server: Trino) -> None:
        super().__init__()
        self._server = server
        settings = TrinoSettings(
            host=server.host,
            port=server.port,
            catalog=server.catalog,
            database=SCHEMA,
            cloudtrail_table="cloudtrail_events",
            flow_table="flow_records",
        )
        self._trino = TrinoEngine(settings)
        for name, table in TABLES.items():
            server.external_table(SCHEMA, name, table.arrow.empty_table())

    def holding(self, tables: Mapping[str, pa.Table]) -> BothEngines:
        super().holding(tables)
        for name, rows in tables.items():
            self._server.external_table(SCHEMA, name, rows)
        return self

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        here = super().run(sql, params, window=window)
        limited = Window(window.start or WINDOW.start, window.end or WINDOW.end)
        there = self._trino.run(sql, params, window=limited)
        assert there.table.schema == here.table.schema
        assert there.table.to_pylist() == here.table.to_pylist()
        return there


@pytest.fixture(scope="module")
def found(trino: Trino) -> dict[str, Rows]:
    return run_all(CATALOGUE, CASES, BothEngines(trino))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trino_finds_exactly_what_the_case_says(case: Case, found: dict[str, Rows]) -> None:
    assert named(found[str(case)], case.expect) == expected(case)
