"""Athena's metadata of a table as what the sources need to know of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pyathena.model import AthenaTableMetadata
from sqlglot import exp

from auditkit.engines.athena.tables import PATH, described, gap, missing, projection
from auditkit.engines.day_formats import strftime
from auditkit.engines.tables import StoredTable
from auditkit.errors import EngineError
from auditkit.model import Window
from tests.athena.conftest import store_table

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
CLOUDTRAIL = {
    "useridentity": "struct<type:string,principalid:string,sessioncontext:struct<attributes:struct<mfaauthenticated:string>>>",
    "eventtime": "string",
    "eventname": "string",
    "eventid": "string",
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
    "amount": "decimal(10,2)",
    "tags": "map<string,string>",
    "odd": "uniontype<int,string>",
}
DAYS = {
    "projection.enabled": "true",
    "projection.timestamp.type": "date",
    "projection.timestamp.format": "yyyy/MM/dd",
    "projection.timestamp.range": "2020/01/01,NOW",
    "projection.account.type": "injected",
    "storage.location.template": "s3://logs/AWSLogs/${account}/CloudTrail/eu-central-1/${timestamp}",
}


def metadata(columns: dict[str, str], keys: dict[str, str], parameters: dict[str, str], **more: Any) -> Any:
    table = {
        "Name": "trail",
        "TableType": "EXTERNAL_TABLE",
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in keys.items()],
        "Parameters": {"location": "s3://logs/AWSLogs/"} | parameters,
    }
    return AthenaTableMetadata({"TableMetadata": table | more})


def trail(parameters: dict[str, str], keys: dict[str, str] | None = None, **more: Any) -> StoredTable:
    keys = keys or {"account": "string", "timestamp": "string"}
    return described("cloudtrail_events", ("audit", "trail"), metadata(CLOUDTRAIL, keys, parameters, **more))


def test_types_are_trinos() -> None:
    columns = trail({}).columns
    kinds = {name: kind.sql("trino") for name, kind in columns.items()}
    assert kinds["eventname"] == kinds["timestamp"] == "VARCHAR"
    assert kinds["useridentity"] == (
        "ROW(type VARCHAR, principalid VARCHAR, sessioncontext ROW(attributes ROW(mfaauthenticated VARCHAR)))"
    )
    assert kinds["resources"] == "ARRAY(ROW(arn VARCHAR, accountid VARCHAR, type VARCHAR))"
    assert kinds["amount"] == "DECIMAL(10, 2)"
    assert kinds["tags"] == "MAP(VARCHAR, VARCHAR)"
    assert columns["eventname"].this == exp.DType.VARCHAR
    assert columns["odd"].is_type(exp.DType.UNKNOWN)


def test_names_are_lower_case() -> None:
    table = metadata({"EventID": "string", "eventTime": "string", "eventname": "string"}, {"Day": "string"}, {})
    found = described("cloudtrail_events", ("audit", "trail"), table)
    assert set(found.columns) == {"eventid", "eventtime", "eventname", "day", PATH}
    assert [key.name for key in found.partitions] == ["day"]


def test_every_table_tells_the_object_of_a_row_and_no_view_does() -> None:
    assert PATH in trail({}).columns
    assert PATH not in trail({}, TableType="VIRTUAL_VIEW").columns


def test_the_layout_is_told_by_the_columns() -> None:
    assert trail({}).layout == "aws"
    stored = AthenaTableMetadata({"TableMetadata": store_table("flow_records", "flows")})
    assert described("flow_records", ("audit", "flows"), stored).layout == "store"
    with pytest.raises(EngineError, match=r"audit\.flows is no table of flow_records"):
        described("flow_records", ("audit", "flows"), metadata({"x": "string"}, {}, {}))


def test_projected_keys_say_how_days_are_spelled_and_which_values_have_to_be_named() -> None:
    account, timestamp = trail(DAYS).partitions
    assert (account.name, account.is_injected, account.day_format) == ("account", True, None)
    assert (timestamp.name, timestamp.is_injected, timestamp.day_format) == ("timestamp", False, "%Y/%m/%d")


def test_a_projection_that_is_not_enabled_says_nothing() -> None:
    off = trail(DAYS | {"projection.enabled": "false"})
    assert [(key.is_injected, key.day_format) for key in off.partitions] == [(False, None)] * 2
    assert off.location == "s3://logs/AWSLogs/"


@pytest.mark.parametrize(
    ("template", "location"),
    [
        ("s3://logs/AWSLogs/1/CloudTrail/r/${timestamp}", "s3://logs/AWSLogs/1/CloudTrail/r/"),
        ("s3://logs/p/day=${timestamp}/", "s3://logs/p/"),
        (None, "s3://logs/AWSLogs/"),
    ],
)
def test_where_the_objects_are(template: str | None, location: str) -> None:
    parameters = {"projection.enabled": "TRUE"} | ({"storage.location.template": template} if template else {})
    assert trail(parameters).location == location


@pytest.mark.parametrize(
    ("java", "python"),
    [
        ("yyyy/MM/dd", "%Y/%m/%d"),
        ("yyyy-MM-dd", "%Y-%m-%d"),
        ("yyyyMMdd", "%Y%m%d"),
        ("yyyy/MM/dd/HH", "%Y/%m/%d/%H"),
        ("yyyy-MM-dd'T'HH:mm:ss", "%Y-%m-%dT%H:%M:%S"),
        ("yyyy-MM", None),
        ("yyyy-MM-dd EEE", None),
        ("", None),
    ],
)
def test_a_pattern_of_java_is_one_of_python(java: str, python: str | None) -> None:
    assert strftime(java) == python


def window(start: str, end: str) -> Window:
    return Window(*(datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end)))


@pytest.mark.parametrize(
    ("spelled", "start", "end", "is_whole"),
    [
        ("2020/01/01,NOW", "2026-11-01", "2026-11-02", None),
        ("2020/01/01,NOW", "2020-01-01", "2020-01-02", None),
        ("2020/01/01,NOW", "2019-12-31", "2020-01-02", False),
        ("2020/01/01,NOW", "2019-11-01", "2019-11-02", True),
        ("2020/01/01,NOW", "2019-12-31", "2020-01-01", False),  # what was delivered late lies in the range
        ("2020/01/01,NOW", "2026-11-10", "2026-12-01", None),  # the future is empty anyway
        ("2020/01/01,NOW", "2026-11-17", "2026-11-18", True),
        ("2020/01/01,2026/10/31", "2026-10-30", "2026-11-01", None),
        ("2020/01/01,2026/10/31", "2026-10-30", "2026-11-02", False),
        ("2020/01/01, 2026/10/31", "2026-11-01", "2026-11-02", True),
        ("NOW-3YEARS,NOW", "2023-11-16", "2023-11-17", None),
        ("NOW-3YEARS,NOW", "2023-10-16", "2023-10-17", True),
        ("NOW-2MONTHS,NOW+1DAY", "2026-09-20", "2026-11-01", None),
        ("NOW-2MONTHS,NOW+1DAY", "2026-08-01", "2026-11-01", False),
        ("NOW-7DAYS,NOW", "2026-11-01", "2026-11-02", True),
        ("NOW - 48 HOURS,NOW", "2026-11-13", "2026-11-14", None),
        ("2020/01/01", "2019-01-01", "2019-01-02", None),  # Athena says what is wrong with that
        ("2020-01-01,NOW", "2019-01-01", "2019-01-02", None),
    ],
)
def test_days_that_a_projection_leaves_out(spelled: str, start: str, end: str, is_whole: bool | None) -> None:
    parameters = DAYS | {"projection.timestamp.range": spelled}
    found = gap(trail(parameters), parameters, window(start, end), NOW)
    assert (found.is_whole if found else None) == is_whole
    if found:
        assert "audit.trail" in found.said
        assert "projection.timestamp.range" in found.said
        assert spelled in found.said


def test_years_that_a_projection_leaves_out() -> None:
    keys = {"year": "string", "month": "string", "day": "string"}
    parameters = {"projection.enabled": "true", "projection.year.type": "integer", "projection.year.range": "2020,2025"}
    table = trail(parameters, keys)
    assert gap(table, parameters, window("2025-12-30", "2025-12-31"), NOW) is None
    found = gap(table, parameters, window("2026-11-01", "2026-11-02"), NOW)
    assert found
    assert found.is_whole


def test_an_open_window_and_a_table_that_lists_its_partitions_have_no_gaps() -> None:
    assert gap(trail(DAYS), DAYS, Window(), NOW) is None
    assert gap(trail({}), {}, window("1999-01-01", "1999-01-02"), NOW) is None


def test_projection_properties_are_those_of_the_table() -> None:
    assert projection(metadata({}, {}, {"Projection.Enabled": "True", "a": "b"}))["a"] == "b"
    assert projection(metadata({}, {}, {"a": "b"})) == {}


def test_a_missing_table_among_many() -> None:
    said = str(missing(("audit", "x"), [f"table_{number}" for number in range(9)]))
    assert "has table_0, table_1, table_2, table_3, table_4 …." in said
    assert "auditkit athena ddl" in said
