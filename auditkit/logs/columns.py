"""CloudTrail records as Arrow columns.

What repeats from record to record (the identity of a session, the kind of call) is worked out once for each distinct
value and spread over the rows by its number; JSON texts move as one block of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from auditkit.logs import arrays
from auditkit.logs.cloudtrail import MEMBERS, NULL, Record
from auditkit.logs.outcome import OUTCOMES, outcome
from auditkit.logs.principal import NOBODY, Principal, principal
from auditkit.logs.resource import resources
from auditkit.schema import CLOUDTRAIL_EVENTS

_EXTRA_MEMBERS = MEMBERS[MEMBERS.index("eventVersion") :]
_PLAIN = ("eventVersion", "managementEvent")  # of those the ones that are no JSON text
_RARE = tuple(member for member in _EXTRA_MEMBERS if member not in (*_PLAIN, "tlsDetails"))

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


_NOTHING, _NULL = arrays.text(""), arrays.text(None)
_AWS_SERVICE, _AWS_INTERNAL = arrays.text("AWSService"), arrays.text("AWS Internal")


def table(records: Sequence[Record], times: pa.Array, log_file: pa.Array) -> pa.Table:
    """The records in the columns of the store, repeated strings dictionary-encoded.

    *times* are their event times, as `arrays.instants` gives them; *log_file* names their files.
    """
    schema = CLOUDTRAIL_EVENTS.file_arrow
    if not records:
        return schema.empty_table()
    of = _by_member(records)
    columns: dict[str, pa.Array] = {"event_time": times, "log_file": log_file}
    columns |= {name: arrays.texts(of[member]) for member, name in _TEXT.items()}
    columns |= {name: arrays.json_texts(of[member], NULL) for member, name in _JSON.items()}
    columns |= _of_calls(of)
    columns |= _of_identities(of["userIdentity"])
    columns |= _completed(columns)
    columns["outcome"] = _outcomes(of)
    columns["resource_arn"] = arrays.texts(
        resources(
            [_service(source) for source in of["eventSource"]],
            of["resources"],
            of["requestParameters"],
            of["errorMessage"],
            null=NULL,
        )
    )
    return pa.table([columns[name] for name in schema.names], names=schema.names)


def _by_member(records: Sequence[Record]) -> dict[str, Sequence[Any]]:
    """The records turned by a quarter: for each member its values. Only odd records have the last one, `unknown`."""
    try:
        turned = list(zip(*map(astuple, records), strict=True))
    except ValueError:  # some are odd
        turned = list(zip_longest(*map(astuple, records), fillvalue=b""))
    return dict(zip((*MEMBERS, "unknown"), [*turned, (b"",) * len(records)], strict=False))


def _of_calls(of: dict[str, Sequence[Any]]) -> dict[str, pa.Array]:
    """What was called, and what the record says beside its columns."""
    rare = [member for member in _RARE if of[member].count(NULL) < len(of[member])]
    repeated = zip(
        *(of[member] for member in (*_CALL, *_PLAIN)), of["unknown"], *(map(bytes, of[m]) for m in rare), strict=True
    )
    calls, which = _distinct(repeated)
    columns = {
        name: _spread([call[at] for call in calls], CLOUDTRAIL_EVENTS.file_arrow.field(name).type, which)
        for at, name in enumerate(_CALL.values())
    }
    columns["service"] = _spread([_service(call[0]) for call in calls], pa.string(), which)

    details, which_details = arrays.distinct_json_texts(of["tlsDetails"], NULL)
    tls = [*details.to_pylist(), None]
    last_for_none = which_details % np.int32(len(tls))
    columns["tls_version"] = _spread([_tls_version(text) for text in tls], pa.string(), last_for_none)
    pairs, which = np.unique(which.astype(np.int64) * len(tls) + last_for_none, return_inverse=True)
    members = (*_CALL, *_PLAIN, "unknown", *rare)
    extras = [
        _extra(dict(zip(members, calls[pair // len(tls)], strict=True)) | {"tlsDetails": tls[pair % len(tls)]})
        for pair in pairs.tolist()
    ]
    columns["extra"] = _spread(extras, pa.string(), which)
    return columns


def _of_identities(blocks: Sequence[msgspec.Raw]) -> dict[str, pa.Array]:
    """Who called. A session makes many calls, so each different block is looked at once."""
    texts, which = arrays.distinct_json_texts(blocks, NULL)
    principals = [_principal(text) for text in texts.to_pylist()] + [NOBODY]
    last_for_none = which % np.int32(len(principals))
    columns = {
        name: _spread([who[at] for who in principals], CLOUDTRAIL_EVENTS.file_arrow.field(name).type, last_for_none)
        for at, name in enumerate(Principal._fields)
    }
    return columns | {"user_identity": arrays.picked(texts, which)}


def _completed(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Columns that need more than the identity: the account, and the service that acts for itself."""
    completed = {}
    if columns["account_id"].indices.null_count:
        account = pc.coalesce(_plain(columns["account_id"]), _plain(columns["principal_account"]))
        completed["account_id"] = account
    kinds = columns["identity_type"]
    if not kinds.indices.null_count and not {"AWSService", "AWS Internal"} & {
        *kinds.dictionary.to_pylist(),
        *columns["principal_arn"].dictionary.to_pylist(),
        *columns["principal_name"].dictionary.to_pylist(),
    }:
        return completed
    kind, source = _plain(kinds), _plain(columns["event_source"])
    is_service = pc.or_(pc.is_null(kind), pc.equal(pc.coalesce(kind, _NOTHING), _AWS_SERVICE))
    arn, name = (
        pc.if_else(pc.equal(pc.coalesce(named, _NOTHING), _AWS_INTERNAL), _NULL, named)
        for named in (_plain(columns["principal_arn"]), _plain(columns["principal_name"]))
    )
    arn = pc.if_else(is_service, pc.coalesce(arn, source), arn)
    return completed | {"principal_arn": arn, "principal_name": pc.coalesce(name, arn)}


def _outcomes(of: dict[str, Sequence[Any]]) -> pa.DictionaryArray:
    """Nearly every call succeeds and says so by having no error: only the others are looked at."""
    codes, messages, names, responses = (
        of[member] for member in ("errorCode", "errorMessage", "eventName", "responseElements")
    )
    failed = {at for values in (codes, messages) for at, value in enumerate(values) if value is not None}
    if "ConsoleLogin" in names:
        failed |= {at for at, name in enumerate(names) if name == "ConsoleLogin"}
    which = np.zeros(len(codes), np.int32)
    for at in failed:
        which[at] = OUTCOMES.index(outcome(codes[at], messages[at], bytes(responses[at])))
    return arrays.repeated(OUTCOMES, which)


def _distinct(values: Iterable[Hashable]) -> tuple[list[Any], Any]:
    """The distinct values in order of appearance, and for each row the number of its value (NumPy)."""
    numbers: dict[Hashable, int] = {}
    which = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.array(which, np.int32)


def _spread(values: list[Any], kind: pa.DataType, which: Any) -> pa.Array:
    if kind == pa.string():
        return arrays.repeated(values, which)
    return arrays.of_kind(values, kind).take(arrays.numbers(which, pa.int32()))


def _plain(column: pa.DictionaryArray) -> pa.Array:
    return column.dictionary_decode()


def _extra(members: dict[str, Any]) -> str | None:
    """The members that have no column, as one JSON object of their exact texts. A member that says null is kept out,
    but for the recipient's account: its column gets the identity's where the record names none.
    """
    members |= {name: msgspec.json.encode(members[name]) for name in _PLAIN}
    texts = [f'"{name}":{text}' for name in _EXTRA_MEMBERS if (text := _text(members.get(name))) != "null"]
    if members["recipientAccountId"] is None:
        texts.append('"recipientAccountId":null')
    if members["unknown"]:
        texts.append(members["unknown"].decode())
    return "{" + ",".join(texts) + "}" if texts else None


def _text(json: bytes | str | None) -> str:
    return json.decode() if isinstance(json, bytes) else json or "null"


_principal: Callable[[str], Principal] = lru_cache(maxsize=5_000)(principal)  # sessions go on from file to file


@lru_cache(maxsize=1_000)
def _service(event_source: str | None) -> str | None:
    return event_source.removesuffix(".amazonaws.com") if event_source else None


@lru_cache(maxsize=1_000)
def _tls_version(tls_details: str | None) -> str | None:
    if tls_details is None:
        return None
    try:
        details = msgspec.json.decode(tls_details)
    except (msgspec.DecodeError, RecursionError):
        return None
    version = details.get("tlsVersion") if isinstance(details, dict) else None
    return version if isinstance(version, str) else None
