"""The fake Athena behaves as Athena was seen to, so that what is tested against it is worth something."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from pyathena import connect
from pyathena.cursor import Cursor, DictCursor
from pyathena.error import OperationalError

from tests.athena.conftest import Lab
from tests.athena.texts import cell, csv, type_name
from tests.athena.world import Workgroup
from tests.cases import cloudtrail_events


@pytest.fixture
def cursor(lab: Lab) -> Iterator[Cursor]:
    with connect(work_group="primary", schema_name="audit", poll_interval=0.005) as connection:
        yield connection.cursor()


@pytest.fixture
def client(lab: Lab) -> Iterator[Any]:
    client = boto3.client("athena")
    yield client
    client.close()


VALUES: list[tuple[Any, str | None]] = [
    (None, None),
    ("", ""),
    (True, "true"),
    (7, "7"),
    (1.0, "1.0"),
    (0.001, "0.001"),
    (0.0001, "1.0E-4"),
    (1e7, "1.0E7"),
    (-12345678.9, "-1.23456789E7"),
    (float("nan"), "NaN"),
    (float("-inf"), "-Infinity"),
    (Decimal("1.50"), "1.50"),
    (datetime(2026, 11, 2, 9), "2026-11-02 09:00:00.000"),
    (datetime(2026, 11, 2).date(), "2026-11-02"),
    ([1, None, "a, b"], "[1, null, a, b]"),
    ({"a": 1, "b": None}, "{a=1, b=null}"),
    (b"\x01\xff", "01 ff"),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values_are_written_as_athena_writes_them(value: Any, text: str | None) -> None:
    assert cell(value) == text


def test_a_file_has_all_values_in_quotes_and_nothing_for_null() -> None:
    assert csv(["a", 'b"'], [[1, None], ["", 'q"']]) == b'"a","b"""\n"1",\n"","q"""\n'


@pytest.mark.parametrize(
    ("trino", "athena"),
    [
        ("varchar(5)", "varchar"),
        ("array(row(a varchar))", "array"),
        ("decimal(10,2)", "decimal"),
        ("timestamp(3)", "timestamp"),
        ("timestamp(3) with time zone", "timestamp with time zone"),
    ],
)
def test_types_have_their_outermost_name(trino: str, athena: str) -> None:
    assert type_name(trino) == athena


def test_pages_begin_with_the_header_and_a_full_one_is_followed(lab: Lab, client: Any) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"repeat": 3}]))
    started = client.start_query_execution(QueryString='SELECT event_id, error_code FROM "audit"."trail" ORDER BY 1')
    identifier = started["QueryExecutionId"]
    while client.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]["State"] != "SUCCEEDED":
        pass
    first = client.get_query_results(QueryExecutionId=identifier, MaxResults=2)
    assert first["ResultSet"]["Rows"][0]["Data"] == [{"VarCharValue": "event_id"}, {"VarCharValue": "error_code"}]
    assert first["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "e1"}, {}]
    second = client.get_query_results(QueryExecutionId=identifier, MaxResults=2, NextToken=first["NextToken"])
    third = client.get_query_results(QueryExecutionId=identifier, MaxResults=2, NextToken=second["NextToken"])
    assert third["ResultSet"]["Rows"] == []
    assert "NextToken" not in third


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"QueryString": "SELECT 'x"}, "MALFORMED_QUERY", "line 1:"),
        ({"QueryString": "SELECT 1", "WorkGroup": "none"}, "INVALID_INPUT", "WorkGroup is not found."),
        ({"QueryString": f"SELECT '{'x' * 262_144}'"}, "INVALID_INPUT", "less than or equal to 262144"),
    ],
)
def test_what_is_refused_before_it_runs(client: Any, request_: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(ClientError) as raised:
        client.start_query_execution(**request_)
    assert raised.value.response["Error"]["Code"] == "InvalidRequestException"
    assert raised.value.response["AthenaErrorCode"] == code  # type: ignore[typeddict-item]
    assert said in str(raised.value)


def test_pyathena_reads_it(lab: Lab, cursor: Cursor) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"event_name": "A"}, {"event_name": None}]))
    cursor.execute("SELECT event_name, count(*) AS n FROM audit.trail GROUP BY 1 ORDER BY 1")
    assert cursor.fetchall() == [("A", 1), (None, 1)]
    assert cursor.data_scanned_in_bytes == 12_345
    assert cursor.effective_engine_version == "Athena engine version 3"


def test_pyathenas_other_cursors_read_it(lab: Lab, cursor: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"event_name": "A"}]))
    names = cursor.connection.cursor(DictCursor).execute("SELECT event_name FROM audit.trail").fetchall()
    assert names == [{"event_name": "A"}]


def test_the_same_text_is_answered_again_only_by_those_who_ask_for_that(lab: Lab, cursor: Cursor) -> None:
    for reuse, scanned in ((False, 12_345), (False, 12_345), (True, 0)):
        cursor.execute("SELECT 1", result_reuse_enable=reuse)
        assert cursor.data_scanned_in_bytes == scanned
        assert cursor.reused_previous_result is (scanned == 0)


def test_tables_and_columns_that_are_not_there_are_told_when_it_runs(cursor: Cursor) -> None:
    with pytest.raises(OperationalError, match=r"^TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog\.audit\.none'"):
        cursor.execute("SELECT 1 FROM audit.none")
    with pytest.raises(OperationalError, match=r"^COLUMN_NOT_FOUND: line 1:8"):
        cursor.execute("SELECT none FROM audit.trail")


def test_managed_results_are_in_no_bucket(lab: Lab, cursor: Cursor) -> None:
    lab.athena.workgroups["primary"] = Workgroup(is_managed=True)
    assert cursor.execute("SELECT 1 AS x").fetchall() == [(1,)]
    assert cursor.output_location is None
    assert lab.stored() == []


def test_an_unload_writes_files_and_their_list(lab: Lab, cursor: Cursor) -> None:
    lab.hold("cloudtrail_events", cloudtrail_events([{"repeat": 3}]))
    unload = f"UNLOAD (SELECT event_id FROM audit.trail) TO 's3://{lab.bucket}/out/' WITH (format = 'PARQUET')"
    cursor.execute(unload)
    manifest = str(cursor.data_manifest_location)
    assert manifest.endswith("-manifest.csv")
    files = lab.athena.s3.get_object(Bucket=lab.bucket, Key=manifest.partition(f"{lab.bucket}/")[2])["Body"].read()
    assert [line.rsplit("/", 1)[0] for line in files.decode().splitlines()] == [f"s3://{lab.bucket}/out"] * 2
    with pytest.raises(OperationalError, match="already exists"):
        cursor.execute(unload)


def test_tables_are_listed_by_page(lab: Lab, cursor: Cursor) -> None:
    for number in range(120):
        lab.athena.tables["audit", f"t{number:03}"] = lab.athena.tables["audit", "trail"] | {"Name": f"t{number:03}"}
    assert len(cursor.list_table_metadata(None, "audit")) == 122


def test_throttling_ends(lab: Lab, client: Any) -> None:
    lab.athena.faults.throttled["GetWorkGroup"] = 1
    assert client.get_work_group(WorkGroup="primary")["WorkGroup"]["State"] == "ENABLED"
