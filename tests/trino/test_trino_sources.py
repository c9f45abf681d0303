"""Raw tables, as AWS documents them, on a real Trino: each row as DuckDB gives it, and nothing read beside the window."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.settings import TrinoSettings
from auditkit.engines.trino.engine import TrinoEngine
from auditkit.errors import EngineError, WindowError
from auditkit.model import Window
from auditkit.schema import TABLES
from tests import raw_flow_tables, raw_tables
from tests.partition_styles import STYLES, Style
from tests.test_cloudtrail_sources import AUTUMN, EXAMPLES, WORDS, parsed
from tests.test_cloudtrail_sources import company as company  # a fixture
from tests.test_flow_sources import LOGS
from tests.trino.server import Trino

SCHEMA = "raw"
DAYS = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))


def asking(server: Trino, **tables: str) -> TrinoEngine:
    settings = TrinoSettings(
        host=server.host,
        port=server.port,
        catalog=server.catalog,
        database=SCHEMA,
        **tables,  # type: ignore[arg-type]
    )
    return TrinoEngine(settings)


def rows(table: pa.Table) -> list[str]:
    """In no order, without the file, whose name is another one there, and with JSON in one spelling."""
    return sorted(json.dumps(row, default=str) for row in parsed(table.drop_columns(["log_file"])))


def same(server: Trino, here: DuckDBEngine, table: str, stored: str, window: Window = AUTUMN) -> None:
    """Assert that Trino finds in *stored* what *here* finds, to the type."""
    there = asking(server, **{"cloudtrail_table" if table == "cloudtrail_events" else "flow_table": stored})
    found, expected = (engine.run(f"SELECT * FROM {table}", window=window).table for engine in (there, here))
    assert found.schema == expected.schema
    columns = (*TABLES[table].columns, *TABLES[table].derived)
    assert found.column_names == [column.name for column in columns]
    assert rows(found) == rows(expected)
    assert found.num_rows


# --- CloudTrail --------------------------------------------------------------------------------------------------------


def test_every_example_of_a_record_is_the_same_row(trino: Trino) -> None:
    raw = raw_tables.aws_cloudtrail(list(EXAMPLES.values()), paths=list(EXAMPLES))
    trino.external_table(SCHEMA, "examples", raw.drop_columns(["$path"]))
    same(trino, raw_tables.duckdb_over(raw, "aws"), "cloudtrail_events", "examples")


def test_the_sample_company_as_lines_of_json_in_projected_folders(trino: Trino, company: list[dict[str, Any]]) -> None:
    """As close to the table of the AWS documentation as Trino comes, which cannot read a trail's own files."""
    folder = trino.folder(SCHEMA, "trail")
    for day in {one["eventTime"][:10] for one in company}:
        lines = "".join(f"{json.dumps(one)}\n" for one in company if one["eventTime"].startswith(day))
        place = folder.joinpath(*day.split("-"))
        place.mkdir(parents=True)
        (place / "records.json").write_text(lines, encoding="utf-8")
    columns = {name: kind.sql("trino") for name, kind in raw_tables.declared("aws").items() if name != "$path"}
    projection = (
        "varchar WITH (partition_projection_type = 'DATE', partition_projection_format = 'yyyy/MM/dd', "
        "partition_projection_range = ARRAY['2026/10/01', '2026/12/31'], partition_projection_interval = 1, "
        "partition_projection_interval_unit = 'DAYS')"
    )
    trino.create(
        SCHEMA,
        "trail",
        columns,
        format="OPENX_JSON",
        partitioned_by={"timestamp": projection},
        properties={
            "partition_projection_enabled": "true",
            "partition_projection_location_template": f"'local:///{SCHEMA}/trail/${{timestamp}}'",
        },
    )
    stored = asking(trino, cloudtrail_table="trail").tables.stored["cloudtrail_events"]
    [key] = stored.partitions
    assert (stored.layout, key.name, key.day_format) == ("aws", "timestamp", "%Y/%m/%d")
    here = raw_tables.duckdb_over(raw_tables.aws_cloudtrail(company), "aws")
    same(trino, here, "cloudtrail_events", "trail", DAYS)
    same(trino, here, "cloudtrail_events", "trail", Window(datetime(2026, 11, 3, tzinfo=UTC), DAYS.end))


def test_security_lake_gives_the_same_rows(trino: Trino, company: list[dict[str, Any]]) -> None:
    raw = raw_tables.security_lake(company)
    trino.external_table(SCHEMA, "lake", raw.drop_columns([name for name in raw.column_names if name == "$path"]))
    same(trino, raw_tables.duckdb_over(raw, "security_lake"), "cloudtrail_events", "lake")


def test_a_table_that_lacks_columns_answers_with_null(trino: Trino, company: list[dict[str, Any]]) -> None:
    columns = raw_tables.declared(
        "aws", without=["tlsdetails", "useridentity.onbehalfof", "sharedeventid", "resources"]
    )
    raw = raw_tables.aws_cloudtrail(company[:50], columns)
    trino.external_table(SCHEMA, "old", raw.drop_columns(["$path"]))
    same(trino, raw_tables.duckdb_over(raw, "aws", columns), "cloudtrail_events", "old")


# JSON itself has no plain form on Trino, and DuckDB has it as text.
@pytest.mark.parametrize("expression", [word for word in WORDS if not word.startswith("element_at(")])
def test_trino_answers_what_the_sources_rest_on(expression: str, trino: Trino) -> None:
    found = asking(trino).run(f"SELECT {expression} AS answer").table.to_pylist()
    assert found == [{"answer": WORDS[expression]}]


# --- flow records --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typing", ["text", "parquet", "varchar"])
def test_every_form_of_a_flow_log_is_the_same_rows(typing: str, trino: Trino) -> None:
    for name, log in LOGS.items():
        raw = raw_flow_tables.raw_flows(log, typing)
        trino.external_table(SCHEMA, "flows", raw.drop_columns(["$path"]))
        if name != "no record":
            same(trino, raw_flow_tables.over(raw), "flow_records", "flows", raw_flow_tables.AUTUMN)


def test_flow_logs_of_security_lake_are_the_same_rows(trino: Trino) -> None:
    raw = raw_flow_tables.security_lake(LOGS["version 5"])
    trino.external_table(SCHEMA, "lake_flows", raw.drop_columns(["$path"]))
    here = raw_flow_tables.over(raw, raw_flow_tables.described(raw, layout="security_lake"))
    same(trino, here, "flow_records", "lake_flows", raw_flow_tables.AUTUMN)


# --- what is read ------------------------------------------------------------------------------------------------------


JAVA = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH"}


def projected(style: Style) -> dict[str, str] | None:
    """What a table with keys of days in some form says of them; None, when none has a form."""
    if not all(key.day_format for key in style.keys):
        return None
    first, last = datetime(2026, 10, 30), datetime(2026, 11, 9)
    return {
        key.name: f"partition_projection_type = 'DATE', partition_projection_format = '{java(key.day_format or '')}', "
        f"partition_projection_range = ARRAY['{first:{key.day_format}}', '{last:{key.day_format}}'], "
        f"partition_projection_interval = 1, "
        f"partition_projection_interval_unit = '{'HOURS' if '%H' in (key.day_format or '') else 'DAYS'}'"
        for key in style.keys
    }


def java(form: str) -> str:
    return re.sub("%[YmdH]", lambda found: JAVA[found[0]], form)


# Keys whose values have to be named are Athena's alone.
@pytest.mark.parametrize("name", [name for name, style in STYLES.items() if not any(k.is_injected for k in style.keys)])
def test_folders_outside_the_window_are_not_opened(name: str, trino: Trino) -> None:
    """By what Trino itself says: how much it read, against a table with nothing else in it."""
    style = STYLES[name]
    raw = raw_tables.aws_cloudtrail(
        [{**_RECORD, "eventID": f"e{day}", "eventTime": f"2026-11-{day:02}T12:00:00Z"} for day in range(1, 7)]
    ).drop_columns(["$path"])
    spelled = [style.spell(datetime(2026, 11, day, 12)) for day in range(1, 7)]
    taken = {key.name for key in style.keys}
    raw = raw.drop_columns([column for column in raw.column_names if column in taken])
    for key in style.keys:
        raw = raw.append_column(key.name, pa.array([row[key.name] for row in spelled]))
    table = "folders_" + re.sub("[^a-z]", "_", name)
    if style.keys:
        trino.partitioned_table(SCHEMA, table, raw, [key.name for key in style.keys], projected=projected(style))
    else:
        trino.external_table(SCHEMA, table, raw)
    engine = asking(trino, cloudtrail_table=table)
    whole = engine.run("SELECT event_id FROM cloudtrail_events ORDER BY event_id", window=_ALL)
    some = engine.run("SELECT event_id FROM cloudtrail_events ORDER BY event_id", window=DAYS)
    assert whole.table["event_id"].to_pylist() == [f"e{day}" for day in range(1, 7)]
    assert some.table["event_id"].to_pylist() == ["e2", "e3"]
    if style.is_by_day and name != "months":
        assert some.bytes_scanned is not None
        assert whole.bytes_scanned is not None
        assert some.bytes_scanned <= whole.bytes_scanned * 3 / 6 + 1, "two days, and one for what came late"


_ALL = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
_RECORD = {
    "eventSource": "ecs.amazonaws.com",
    "eventName": "RunTask",
    "awsRegion": "eu-central-1",
    "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/a", "accountId": "111122223333"},
}


# --- errors --------------------------------------------------------------------------------------------------------------


def test_an_open_window_is_refused(trino: Trino) -> None:
    trino.external_table(SCHEMA, "old", raw_tables.aws_cloudtrail([_RECORD]).drop_columns(["$path"]))
    with pytest.raises(WindowError, match="window with two sides"):
        asking(trino, cloudtrail_table="old").run("SELECT event_id FROM cloudtrail_events")


def test_a_table_of_something_else_is_refused(trino: Trino) -> None:
    trino.external_table(SCHEMA, "other", pa.table({"a": [1]}))
    with pytest.raises(EngineError, match="no table of cloudtrail_events that auditkit knows"):
        asking(trino, cloudtrail_table="other").run("SELECT event_id FROM cloudtrail_events", window=DAYS)


def test_a_missing_table_is_named(trino: Trino) -> None:
    with pytest.raises(EngineError, match=r"hive\.raw\.nope"):
        asking(trino, cloudtrail_table="nope").run("SELECT event_id FROM cloudtrail_events", window=DAYS)


def test_nobody_there_is_said() -> None:
    engine = TrinoEngine(TrinoSettings(host="127.0.0.1", port=1, cloudtrail_table="t"))
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1 cannot be reached"):
        engine.run("SELECT 1 AS n")
