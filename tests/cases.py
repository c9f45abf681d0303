"""The YAML cases under tests/queries/: a few rows in, the rows or findings expected out.

A row names the columns its case is about; the loader fills in the rest. A column of JSON text may be written as a
mapping, a policy document inside it too. `repeat: 3` makes three rows, with `{n}` in any text counting from 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from auditkit.model import Window
from auditkit.schema import TABLES

FOLDER = Path(__file__).parent / "queries"
ACCOUNT = "111122223333"
START = datetime(2026, 11, 2, 9, 0)  # rows without a time follow each other from here, a minute apart
DOCUMENTS = {"policyDocument", "assumeRolePolicyDocument", "policyText", "resourcePolicy", "inlinePolicy"}
JSON_COLUMNS = {
    "request_parameters", "response_elements", "additional_event_data", "resources", "user_identity", "extra",
}  # fmt: skip
FLOW_DEFAULTS = {
    "version": 2, "interface_id": "eni-0a1b2c3d4e5f60718", "srcport": 40000, "protocol": 6, "packets": 1, "bytes": 40,
    "log_status": "OK",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One case of one query."""

    query: str  # rules/iam/user_created
    name: str
    params: dict[str, Any]
    tables: dict[str, pa.Table] = field(repr=False)
    window: Window
    expect: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.query}: {self.name}"


def all_cases() -> Iterator[Case]:
    for path in sorted(FOLDER.rglob("*.yaml")):
        for facts in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield _case(path.relative_to(FOLDER).with_suffix("").as_posix(), facts)


def _case(query: str, facts: dict[str, Any]) -> Case:
    known = {"case", "params", "window", "expect", *TABLES}
    assert set(facts) <= known, f"{query}: a case has no {set(facts) - known}"
    window = facts.get("window", {})
    return Case(
        query=query,
        name=facts["case"],
        params=facts.get("params", {}),
        tables={
            "cloudtrail_events": cloudtrail_events(facts.get("cloudtrail_events", [])),
            "flow_records": flow_records(facts.get("flow_records", [])),
        },
        window=Window(window.get("start"), window.get("end")),
        expect=facts["expect"],
    )


def cloudtrail_events(rows: list[dict[str, Any]]) -> pa.Table:
    """An Arrow table of the whole schema from rows that name a few columns."""
    return _table("cloudtrail_events", [_event(number, row) for number, row in enumerate(_repeated(rows), start=1)])


def flow_records(rows: list[dict[str, Any]]) -> pa.Table:
    """An Arrow table of the whole schema from rows that name a few columns."""
    return _table("flow_records", [_record(number, row) for number, row in enumerate(_repeated(rows), start=1)])


def _repeated(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for n in range(1, row.get("repeat", 1) + 1):
            yield {key: _counted(value, n) for key, value in row.items() if key != "repeat"}


def _counted(value: Any, n: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(n))
    if isinstance(value, dict):
        return {key: _counted(item, n) for key, item in value.items()}
    return [_counted(item, n) for item in value] if isinstance(value, list) else value


def _event(number: int, row: dict[str, Any]) -> dict[str, Any]:
    filled = {
        "event_id": f"e{number}",
        "event_time": START + timedelta(minutes=number),
        "account_id": ACCOUNT,
        "outcome": "ok",
        "service": (row.get("event_source") or "").removesuffix(".amazonaws.com"),
    } | {key: _text(value) if key in JSON_COLUMNS else value for key, value in row.items()}
    filled["event_time"] = _naive(filled["event_time"])
    return filled | {"event_date": filled["event_time"].date()}


def _record(number: int, row: dict[str, Any]) -> dict[str, Any]:
    filled = FLOW_DEFAULTS | {"start_time": START + timedelta(minutes=number), "account_id": ACCOUNT} | row
    filled["start_time"] = _naive(filled["start_time"])
    filled["end_time"] = _naive(filled.get("end_time", filled["start_time"] + timedelta(seconds=60)))
    return filled | {"event_date": filled["start_time"].date()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = {
            key: json.dumps(item) if key in DOCUMENTS and not isinstance(item, str) else item
            for key, item in value.items()
        }
    return json.dumps(value)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = TABLES[name].arrow
    strange = {key for row in rows for key in row} - set(schema.names)
    assert not strange, f"{name} has no column {strange}"
    return pa.Table.from_pylist(rows, schema=schema)
