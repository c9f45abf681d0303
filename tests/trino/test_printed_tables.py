"""The tables that `auditkit athena ddl … --dialect trino` prints, made on a real Trino over a store."""

from __future__ import annotations

import pytest

from auditkit.ingest import ingest
from auditkit.schema import TABLES
from auditkit.setup.ddl import ddl
from auditkit.store import Store
from tests.conftest import DATA_SAMPLES
from tests.trino.server import Trino

PLACE = "s3://audit/store/"
KINDS = {"cloudtrail_events": "store-events", "flow_records": "store-flows"}


@pytest.fixture(scope="module")
def schema(trino: Trino) -> str:
    """A schema with both tables, over a store of data-samples."""
    name = "printed"
    ingest(Store(trino.root / name / "store", create=True), [DATA_SAMPLES])
    trino.execute(f"CREATE SCHEMA {trino.catalog}.{name}")
    for kind in KINDS.values():
        text = ddl(kind, location=PLACE, dialect="trino", database=name)
        # This server has its files on disk, and keeps microseconds, for which the statement says what to write.
        trino.execute(text.replace(PLACE, f"local:///{name}/store/").replace("TIMESTAMP(3)", "TIMESTAMP(6)"))
    return f"{trino.catalog}.{name}"


@pytest.mark.parametrize("table", KINDS)
def test_a_printed_table_has_every_row_and_every_column(table: str, schema: str, trino: Trino) -> None:
    ((count, days),) = trino.execute(f"SELECT count(*), count(DISTINCT event_date) FROM {schema}.{table}")
    stored = [
        part for name, _, parts in Store(trino.root / "printed" / "store").days() if name == table for part in parts
    ]
    assert (count, days) == (sum(part.row_count for part in stored), 2)
    names = [row[0] for row in trino.execute(f"DESCRIBE {schema}.{table}")]
    assert sorted(names) == sorted(TABLES[table].names)


def test_days_that_are_not_asked_for_are_not_opened(schema: str, trino: Trino) -> None:
    plan = trino.execute(
        f"EXPLAIN SELECT count(*) FROM {schema}.cloudtrail_events WHERE event_date = DATE '2026-11-02'"
    )
    assert "2026-11-02" in plan[0][0]
    assert "2026-11-03" not in plan[0][0]
