"""Links of rejects and events as the question gives them, and the rows of a block."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from auditkit.model import Result
from auditkit.report.block import Block

_TEXT, _NUMBER, _TIME = pa.string(), pa.int64(), pa.timestamp("us")
_SEEN = datetime(2026, 11, 2, 10)
_LINK: dict[str, tuple[pa.DataType, Any]] = {  # each column of network/rejects_and_events, and an ordinary value
    "kind": (_TEXT, "address"),
    "effect": (_TEXT, None),
    "changed": (_TEXT, None),
    "confidence": (_TEXT, "high"),
    "shared": (_TEXT, "198.51.100.7"),
    "principal_arn": (_TEXT, "arn:aws:iam::111122223333:role/deploy"),
    "session_name": (_TEXT, None),
    "account_id": (_TEXT, "111122223333"),
    "event_count": (_NUMBER, 1),
    "denied_count": (_NUMBER, 0),
    "event_names": (_TEXT, "AssumeRole"),
    "first_event": (_TIME, _SEEN),
    "last_event": (_TIME, _SEEN),
    "event_id": (_TEXT, "e1"),
    "workloads": (_TEXT, ""),
    "task_count": (_NUMBER, 0),
    "interface_count": (_NUMBER, 1),
    "interface_ids": (_TEXT, "eni-1"),
    "srcaddrs": (_TEXT, "198.51.100.7"),
    "dstaddrs": (_TEXT, "10.0.0.5"),
    "dstports": (_TEXT, "5432"),
    "reject_count": (_NUMBER, 1),
    "accept_count": (_NUMBER, None),
    "first_reject": (_TIME, _SEEN),
    "last_reject": (_TIME, _SEEN),
    "gap_s": (_NUMBER, 0),
    "flow": (_TEXT, "eni-1 198.51.100.7>10.0.0.5:5432/6"),
}


def links(*differs: dict[str, Any]) -> Result:
    """What `network/rejects_and_events` gives: a row for each of *differs*."""
    rows = [{name: value for name, (_, value) in _LINK.items()} | row for row in differs]
    schema = pa.schema([(name, kind) for name, (kind, _) in _LINK.items()])
    return Result(pa.Table.from_pylist(rows, schema=schema), sql="SELECT 1", engine="duckdb", duration_s=0.0)


def cells(block: Block) -> list[dict[str, Any]]:
    """The rows of a table, or of the numbers below a chart."""
    table = block.data["table"] if block.kind == "chart" else block.data
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]
