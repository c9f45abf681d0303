"""CloudTrail records as Arrow columns.

What repeats from record to record (the identity of a session, the kind of call) is worked out once for each distinct
value and spread over the rows by its number; JSON texts move as one block of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from auditkit.logs.cloudtrail import MEMBERS, NULL, UTC_MICROSECONDS, Record
from auditkit.logs.outcome import outcome
from auditkit.logs.principal import Principal, principal
from auditkit.logs.resource import resource
from auditkit.schema import CLOUDTRAIL_EVENTS

_EXTRA_MEMBERS = MEMBERS[MEMBERS.index("eventVersion") :]
_members = attrgetter(*MEMBERS, "unknown")

_CALL = {  # the members that say what was called, and their columns
    "eventSource": "event_source",
    "eventName": "event_name",
    "eventType": "event_type",
    "eventCategory": "event_category",
    "readOnly": "read_only",
    "awsRegion": "aws_region",
    "recipientAccountId": "account_id",
}
_TEXT = {
    "eventID": "event_id",
    "sourceIPAddress": "source_ip",
    "userAgent": "user_agent",
    "errorCode": "error_code",
    "errorMessage": "error_message",
    "requestID": "request_id",
    "sharedEventID": "shared_event_id",
    "vpcEndpointId": "vpc_endpoint_id",
}
_JSON = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
    "resources": "resources",
}


def table(records: Sequence[Record], log_file: pa.Array) -> pa.Table:
    """The records in the columns of the store. *log_file* names each record's file."""
    schema = CLOUDTRAIL_EVENTS.file_arrow
    if not records:
        return schema.empty_table()
    of: dict[str, Sequence[Any]] = dict(zip((*MEMBERS, "unknown"), zip(*map(_members, records), strict=True), strict=True))
    columns: dict[str, pa.Array] = {
        "event_time": pa.array(of["eventTime"], pa.string()).cast(UTC_MICROSECONDS).cast(pa.timestamp("us")),
        "log_file": log_file.cast(pa.string()),
    }
    columns |= {name: pa.array(of[member], pa.string()) for member, name in _TEXT.items()}
    columns |= {name: _json(of[member]) for member, name in _JSON.items()}

    extras = [member for member in _EXTRA_MEMBERS if of[member].count(NULL) < len(records)]
    texts = [map(bytes, of[member]) for member in extras]
    calls, which = _distinct(zip(*(of[member] for member in _CALL), of["unknown"], *texts, strict=True))
    for at, name in enumerate(_CALL.values()):
        columns[name] = _spread([call[at] for call in calls], schema.field(name).type, which)
    columns["service"] = _spread([_service(call[0]) for call in calls], pa.string(), which)
    more = [dict(zip(("unknown", *extras), call[len(_CALL) :], strict=True)) for call in calls]
    columns["extra"] = _spread([_extra(members) for members in more], pa.string(), which)
    columns["tls_version"] = _spread([_tls_version(members.get("tlsDetails")) for members in more], pa.string(), which)

    identities, which = _distinct(map(bytes, of["userIdentity"]))
    principals = [_principal(identity) for identity in identities]
    for at, name in enumerate(Principal._fields):
        columns[name] = _spread([who[at] for who in principals], schema.field(name).type, which)
    columns["user_identity"] = _spread([None if i == b"null" else i for i in identities], pa.string(), which)
    columns |= _completed(columns)

    columns["outcome"] = pa.array(_outcomes(of), pa.string())
    columns["resource_arn"] = pa.array(_resources(of), pa.string())
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _completed(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Columns that need more than the identity: the account, and the service that acts for itself."""
    kind = columns["identity_type"]
    is_service = pc.or_kleene(pc.is_null(kind), pc.equal(kind, "AWSService"))
    named = pc.if_else(pc.equal(columns["principal_arn"], "AWS Internal"), None, columns["principal_arn"])
    arn = pc.if_else(pc.fill_null(is_service, False), pc.coalesce(named, columns["event_source"]), columns["principal_arn"])
    name = pc.if_else(pc.equal(columns["principal_name"], "AWS Internal"), None, columns["principal_name"])
    return {
        "account_id": pc.coalesce(columns["account_id"], columns["principal_account"]),
        "principal_arn": arn,
        "principal_name": pc.coalesce(name, arn),
    }


def _outcomes(of: dict[str, Sequence[Any]]) -> list[str]:
    """Nearly every call succeeds and says so by having no error: only the others are looked at."""
    rows = zip(of["errorCode"], of["errorMessage"], of["eventName"], of["responseElements"], strict=True)
    return [
        "ok"
        if code is None and message is None and name != "ConsoleLogin"
        else outcome(code, message, bytes(response))
        for code, message, name, response in rows
    ]


def _resources(of: dict[str, Sequence[Any]]) -> list[str | None]:
    rows = zip(of["eventSource"], of["resources"], of["requestParameters"], of["errorMessage"], strict=True)
    return [
        None
        if request is NULL and listed is NULL and message is None
        else resource(_service(source) or "", None if listed is NULL else listed, request, message)
        for source, listed, request, message in rows
    ]


def _distinct(values: Iterable[Hashable]) -> tuple[list[Any], pa.Array]:
    """The distinct values in order of appearance, and for each row the number of its value."""
    numbers: dict[Hashable, int] = {}
    which = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), pa.array(which, pa.int32())


def _spread(values: list[Any], kind: pa.DataType, which: pa.Array) -> pa.Array:
    return pa.array(values, kind).take(which)


def _json(raws: Sequence[msgspec.Raw]) -> pa.Array:
    """JSON texts as one string column: their bytes joined once, NULL where the text is the word null.

    The file was checked to be UTF-8 as a whole, so its parts are.
    """
    lengths = np.fromiter(map(len, map(memoryview, raws)), np.int64, len(raws))
    offsets = np.zeros(len(raws) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = b"".join(raws)
    is_null = np.fromiter((raw is NULL for raw in raws), np.bool_, len(raws))
    for at in np.flatnonzero((lengths == 4) & ~is_null):  # as long as the word null: look
        is_null[at] = bytes(raws[at]) == b"null"
    validity = pa.py_buffer(np.packbits(~is_null, bitorder="little").tobytes())
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(raws), buffers, null_count=int(is_null.sum())).cast(pa.string())


def _extra(members: dict[str, bytes]) -> bytes | None:
    """The members that have no column, as one JSON object of their exact texts. A member that says null is kept out."""
    texts = [f'"{name}":'.encode() + text for name, text in members.items() if name != "unknown" and text != b"null"]
    if members["unknown"]:
        texts.append(members["unknown"])
    return b"{" + b",".join(texts) + b"}" if texts else None


_principal: Callable[[bytes], Principal] = lru_cache(maxsize=20_000)(principal)  # sessions go on from file to file


@lru_cache(maxsize=1_000)
def _service(event_source: str | None) -> str | None:
    return event_source.removesuffix(".amazonaws.com") if event_source else None


@lru_cache(maxsize=1_000)
def _tls_version(tls_details: bytes | None) -> str | None:
    if tls_details is None:
        return None
    details = msgspec.json.decode(tls_details)
    version = details.get("tlsVersion") if isinstance(details, dict) else None
    return version if isinstance(version, str) else None
