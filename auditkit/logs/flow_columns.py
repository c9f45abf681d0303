"""Logged fields as columns of `flow_records`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from auditkit.logs import arrays
from auditkit.logs.flow_format import COLUMNS, LAST_SECOND, TIMES
from auditkit.schema import FLOW_RECORDS

_SCHEMA = FLOW_RECORDS.file_arrow
_NAMES = [name for name in _SCHEMA.names if name != "log_file"]


def columns(fields: pa.Table) -> pa.Table:
    """The columns there are fields for, in the order of the schema; fields it does not know as JSON in `extra`."""
    made = {COLUMNS[field]: fields[field] for field in fields.column_names if field in COLUMNS}
    for field, name in TIMES.items():
        made[name] = fields[field].cast(pa.timestamp("s")).cast(pa.timestamp("us"))
    unknown = [field for field in fields.column_names if field not in COLUMNS]
    if unknown:
        made["extra"] = arrays.texts([_as_json(values) for values in fields.select(unknown).to_pylist()])
    return pa.table({name: made[name] for name in _NAMES if name in made})


def whole(rows: pa.Table) -> pa.Table:
    """*rows* with every column of the table but `event_date`, and `log_file` if they have one.

    Those that no field fills are NULL. Do this last: sorting 40 empty columns takes longer than sorting the 14 others.
    """
    nulls = {kind: pa.nulls(rows.num_rows, kind) for kind in set(_SCHEMA.types)}
    names = [name for name in _SCHEMA.names if name != "log_file" or name in rows.column_names]
    there = set(rows.column_names)
    return pa.table({name: rows[name] if name in there else nulls[_SCHEMA.field(name).type] for name in names})


def times_make_sense(fields: pa.Table) -> bool:
    """Whether every record has a start and an end, from 1970 to the year 9999."""
    return all(fields[field].null_count == 0 and _are_seconds(arrays.as_integers(fields[field])) for field in TIMES)


def _are_seconds(values: Any) -> bool:
    return len(values) == 0 or bool(values.min() >= 0 and values.max() <= LAST_SECOND)


def has_empty_texts(fields: pa.Table) -> bool:
    """Whether a text is there and has no letter, which no log writes: it writes `-`."""
    return any(
        _has_empty(chunk) for column in fields.columns if pa.types.is_string(column.type) for chunk in column.chunks
    )


def _has_empty(texts: pa.Array) -> bool:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return bool(np.count_nonzero(offsets[1:] == offsets[:-1]) > texts.null_count)


def _as_json(values: dict[str, Any]) -> str | None:
    logged = {field: value for field, value in values.items() if value is not None and value == value}  # NaN is not
    return json.dumps(logged, default=as_text) if logged else None


def as_text(value: object) -> str:
    """What JSON has no form for, and Parquet may hold."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
