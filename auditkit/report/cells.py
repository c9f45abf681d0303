"""A DataFrame as the columns and rows of a block: plain JSON values, masked and cleaned."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from auditkit.redact import mask
from auditkit.report.clean import clean

_ACRONYMS = {
    "acl": "ACL", "api": "API", "arn": "ARN", "arns": "ARNs", "aws": "AWS", "az": "AZ", "ecs": "ECS", "eni": "ENI",
    "iam": "IAM", "id": "ID", "ids": "IDs", "ip": "IP", "ips": "IPs", "json": "JSON", "kms": "KMS", "mfa": "MFA",
    "sql": "SQL", "sts": "STS", "tcp": "TCP", "tls": "TLS", "vpc": "VPC", "utc": "UTC",
}  # fmt: skip
_WORDS = {
    "srcaddr": "source", "dstaddr": "destination", "srcport": "source port", "dstport": "destination port",
    "pkt": "packet",
}  # fmt: skip


def safe(text: str) -> str:
    """Text from a log, fit to be shown: secrets masked, hidden characters visible."""
    return clean(mask(text))


def safe_values(value: Any) -> Any:
    """`safe` for every string inside lists and mappings, and every other value as plain JSON."""
    if isinstance(value, Mapping):
        return {safe(str(key)): safe_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [safe_values(item) for item in value]
    return cell(value)


def label(name: str) -> str:
    """A column name as a heading: `first_seen` becomes `First seen`, `source_ip` becomes `Source IP`."""
    words = [word for part in name.split("_") if part for word in _WORDS.get(part, part).split()]
    text = " ".join(_ACRONYMS.get(word.lower(), word) for word in words)
    return text[:1].upper() + text[1:]


def iso_utc(moment: datetime) -> str:
    """`2026-11-01T09:00:00Z`, with fractions where there are any; a time without a zone is UTC already."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="seconds" if aware.microsecond == 0 else "milliseconds").replace("+00:00", "Z")


def cell(value: Any) -> Any:
    """One value as plain JSON, or a list of those. Times are ISO text in UTC; NaN and NaT are None."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return safe(json.dumps(safe_values(value), ensure_ascii=False))
    if isinstance(value, list | tuple | set | frozenset):
        return [cell(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return cell(value.tolist())
    return safe(str(value))


def _kind(series: pd.Series[Any], values: Sequence[Any]) -> str:
    """`time`, `bool`, `int`, `float`, `list` or `text`."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "time"
    raw = [value for value in series if not isinstance(value, float) or not math.isnan(value)]
    raw = [value for value in raw if value is not None and value is not pd.NaT and value is not pd.NA]
    if raw and all(isinstance(value, datetime) for value in raw):
        return "time"
    present = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in present):
        return "list"
    if present and all(isinstance(value, bool) for value in present):
        return "bool"
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return "int" if all(float(value).is_integer() for value in present) else "float"
    return "text"


def grid(frame: pd.DataFrame, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`{"columns": [{"name", "label", "type"}], "rows": [[…]]}` of *frame*; its index is not shown."""
    columns, values = [], []
    for position, name in enumerate(map(str, frame.columns)):
        series = frame.iloc[:, position]
        found = [cell(value) for value in series]
        kind = _kind(series, found)
        if kind == "int":  # a bigint column with a NULL arrives as float64
            found = [None if value is None else int(value) for value in found]
        heading = (labels or {}).get(name) or label(safe(name))
        columns.append({"name": safe(name), "label": clean(heading), "type": kind})
        values.append(found)
    return {"columns": columns, "rows": [list(row) for row in zip(*values, strict=True)]}
