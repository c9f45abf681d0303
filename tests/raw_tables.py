"""CloudTrail records as the tables of Athena have them: one row a record, in the columns and types that a table declares.

Others make them of the files of a trail: a SerDe finds members whatever their case, drops those that the table does not
declare, gives JSON text where the table says string, and NULL where a value is not of the declared type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.sources import TableSources, source
from auditkit.engines.tables import NO_LIMITS, Limits, PartitionKey, StoredTable, Tables

Columns = Mapping[str, exp.DataType]
PATH = "s3://logs/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/02/one.json.gz"
_LONE = re.compile("[\ud800-\udfff]")
_SCALARS = {
    exp.DType.VARCHAR: pa.string(),
    exp.DType.BOOLEAN: pa.bool_(),
    exp.DType.INT: pa.int32(),
    exp.DType.BIGINT: pa.int64(),
    exp.DType.DATE: pa.date32(),
    exp.DType.TIMESTAMP: pa.timestamp("us"),
}


def declared(layout: str, *, without: Sequence[str] = (), **differs: str) -> Columns:
    """The columns that the source of *layout* knows; *without* some, by dotted path, and some of other types."""
    columns = {name: kind.copy() for name, kind in source("cloudtrail_events", layout).columns.items()}
    for path in without:
        name, *members = path.split(".")
        if members:
            _drop(columns[name], members)
        else:
            del columns[name]
    return columns | {name: exp.DataType.build(kind, dialect="trino") for name, kind in differs.items()}


def _drop(kind: exp.DataType, members: list[str]) -> None:
    fields = {field.name: field for field in kind.expressions}
    if members[1:]:
        _drop(fields[members[0]].args["kind"], members[1:])
    else:
        kind.set("expressions", [field for name, field in fields.items() if name != members[0]])


def aws_cloudtrail(
    records: Sequence[dict[str, Any]], columns: Columns | None = None, *, paths: Sequence[str] = ()
) -> pa.Table:
    """The rows that a table of the layout `aws` gives for *records*; *paths* name their files."""
    columns = declared("aws") if columns is None else columns
    rows = []
    for at, record in enumerate(records):
        members = {name.lower(): value for name, value in record.items()}
        members["$path"] = paths[at] if paths else PATH
        rows.append({name: _value(members.get(name), kind) for name, kind in columns.items()})
    return of_rows(rows, columns)


def of_rows(rows: list[dict[str, Any]], columns: Columns) -> pa.Table:
    """*rows* as a table of these Trino types."""
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in columns.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def stored_table(layout: str, columns: Columns | None = None, partitions: Sequence[PartitionKey] = ()) -> StoredTable:
    """What the engines are told about such a table."""
    columns = declared(layout) if columns is None else columns
    return StoredTable(("stored_cloudtrail_events",), layout, columns, tuple(partitions))


def duckdb_over(
    rows: pa.Table,
    layout: str,
    columns: Columns | None = None,
    partitions: Sequence[PartitionKey] = (),
    limits: Limits = NO_LIMITS,
) -> DuckDBEngine:
    """An engine that reads *rows* as it would a table of that layout in Athena."""
    tables = Tables({"cloudtrail_events": stored_table(layout, columns, partitions)}, limits)
    return DuckDBEngine({"cloudtrail_events": rows}, TableSources(tables))


def arrow_type(kind: exp.DataType) -> pa.DataType:
    if kind.is_type(exp.DType.STRUCT):
        return pa.struct([(field.name, arrow_type(field.args["kind"])) for field in kind.expressions])
    if kind.is_type(exp.DType.ARRAY):
        return pa.list_(arrow_type(kind.expressions[0]))
    if kind.is_type(exp.DType.MAP):
        return pa.map_(*map(arrow_type, kind.expressions))
    return _SCALARS[kind.this]


def _value(value: Any, kind: exp.DataType) -> Any:
    if value is None:
        return None
    if kind.is_type(exp.DType.STRUCT):
        return _row(value, kind)
    if kind.is_type(exp.DType.ARRAY):
        return [_value(item, kind.expressions[0]) for item in value] if isinstance(value, list) else None
    if kind.is_type(exp.DType.MAP):
        return [(text(key), text(item)) for key, item in value.items()] if isinstance(value, dict) else None
    if kind.is_type(exp.DType.BOOLEAN):
        return {"true": True, "false": False}.get(text(value) or "")
    return text(value)


def _row(value: Any, kind: exp.DataType) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    members = {name.lower(): item for name, item in value.items()}
    return {field.name: _value(members.get(field.name.lower()), field.args["kind"]) for field in kind.expressions}


def text(value: Any) -> str | None:
    """A member as a column of type string has it."""
    if value is None:
        return None
    written = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return _LONE.sub("\ufffd", written)


def security_lake(records: Sequence[dict[str, Any]], columns: Columns | None = None) -> pa.Table:
    """The rows that Security Lake makes of *records*: OCSF's published mapping of CloudTrail to version 1.1."""
    columns = declared("security_lake", class_uid="integer") if columns is None else columns
    rows = [_ocsf(record) for record in records]
    return of_rows([{name: row.get(name) for name in columns} for row in rows], columns)


def _ocsf(record: dict[str, Any]) -> dict[str, Any]:
    left = dict(_flat(record))  # what no place is found for stays under its path, as text

    def take(path: str) -> str | None:
        return left.pop(path, None)

    def take_whole(name: str) -> str | None:
        for path in [path for path in left if path == name or path.startswith(f"{name}.")]:
            del left[path]
        return text(record.get(name))

    kind, session = take("userIdentity.type"), "userIdentity.sessionContext"
    is_center = kind == "IdentityCenterUser"
    moment = _moment(take("eventTime"))
    address = take("sourceIPAddress")
    is_address = bool(re.fullmatch(r"[0-9a-fA-F.:]+", address or ""))
    resources = record.get("resources")
    listed = [one for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
    take_whole("resources")
    return {
        "class_uid": 6003,
        "metadata": {
            "product": {
                "name": "CloudTrail",
                "version": take("eventVersion"),
                "feature": {"name": take("eventCategory") or "Management, Data, and Insights"},
            },
            "event_code": take("eventType"),
            "uid": take("eventID"),
            "version": "1.1.0",
        },
        "time_dt": moment,
        "cloud": {"region": text(record.get("awsRegion")), "provider": "AWS"},
        "region": take("awsRegion"),
        "accountid": text(record.get("recipientAccountId")),
        "api": {
            "operation": take("eventName"),
            "version": take("apiVersion"),
            "service": {"name": take("eventSource")},
            "request": {"data": take_whole("requestParameters"), "uid": take("requestID")},
            "response": {
                "error": take("errorCode"),
                "message": take("errorMessage"),
                "data": take_whole("responseElements"),
            },
        },
        "actor": {
            "user": {
                "type": kind,
                "name": take("userIdentity.userName") or (take("additionalEventData.UserName") if is_center else None),
                "uid": take("userIdentity.arn"),
                "uid_alt": take("userIdentity.onBehalfOf.userId" if is_center else "userIdentity.principalId"),
                "account": {"uid": take("userIdentity.accountId")},
                "credential_uid": take("userIdentity.credentialId" if is_center else "userIdentity.accessKeyId"),
            },
            "session": {
                "created_time_dt": _moment(take(f"{session}.attributes.creationDate")),
                "is_mfa": {"true": True, "false": False}.get(take(f"{session}.attributes.mfaAuthenticated") or ""),
                "issuer": take(f"{session}.sessionIssuer.arn"),
            },
            "invoked_by": take("userIdentity.invokedBy"),
            "idp": {
                "name": take("userIdentity.identityProvider")
                or take(f"{session}.webIdFederationData.federatedProvider")
            },
        },
        "http_request": {"user_agent": take("userAgent")},
        "src_endpoint": {
            "uid": take("vpcEndpointId"),
            "ip": address if is_address else None,
            "domain": None if is_address else address,
        },
        "dst_endpoint": {"svc_name": take("additionalEventData.LoginTo")},
        "is_mfa": {"Yes": True, "No": False}.get(take("additionalEventData.MFAUsed") or ""),
        "resources": [
            {
                "uid": text(one.get("ARN")),
                "owner": {"account": {"uid": text(one.get("accountId"))}},
                "type": text(one.get("type")),
            }
            for one in listed
        ]
        or None,
        "unmapped": list(left.items()),
        "$path": PATH,
    }


def _moment(written: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written or "")
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)
    except ValueError:
        return None


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value in an object by the names on the way to it, lists as JSON."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else name)
    elif (written := text(value)) is not None:
        yield path, written
