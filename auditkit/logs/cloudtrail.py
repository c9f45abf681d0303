"""CloudTrail records, from every form of JSON they come in, to the columns of `cloudtrail_events`.

msgspec types the members auditkit has columns for and leaves the rest as the exact bytes of the log, so JSON text keeps
its key order and its big numbers. A file whose records are all as documented is decoded in one go; any surprise (an
unknown member, a number where text belongs) sends that file through the careful path, record by record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Raw

from auditkit.errors import UnreadableFileError
from auditkit.logs import surrogates
from auditkit.logs.documents import elements
from auditkit.logs.envelopes import unwrap
from auditkit.logs.parsed import BadRecord

NULL = Raw(b"null")


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One event as documented for eventVersion 1.11. The members typed `Raw` stay JSON text."""

    eventTime: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    eventID: str | None = None
    eventSource: str | None = None
    eventName: str | None = None
    eventType: str | None = None
    eventCategory: str | None = None
    readOnly: bool | None = None
    awsRegion: str | None = None
    recipientAccountId: str | None = None
    sourceIPAddress: str | None = None
    userAgent: str | None = None
    errorCode: str | None = None
    errorMessage: str | None = None
    requestID: str | None = None
    sharedEventID: str | None = None
    vpcEndpointId: str | None = None
    userIdentity: Raw = NULL
    requestParameters: Raw = NULL
    responseElements: Raw = NULL
    additionalEventData: Raw = NULL
    resources: Raw = NULL
    # members without a column of their own, in the order they get in `extra`
    eventVersion: Raw = NULL
    apiVersion: Raw = NULL
    managementEvent: Raw = NULL
    tlsDetails: Raw = NULL
    serviceEventDetails: Raw = NULL
    sessionCredentialFromConsole: Raw = NULL
    vpcEndpointAccountId: Raw = NULL
    addendum: Raw = NULL
    edgeDeviceDetails: Raw = NULL
    eventContext: Raw = NULL
    insightDetails: Raw = NULL

    unknown: ClassVar[bytes] = b""


class OddRecord(Record, gc=False):
    """An event with members no documentation names: their `"key":value` texts, joined by commas."""

    unknown: bytes = b""  # type: ignore[misc]


MEMBERS = Record.__struct_fields__
_TEXT_MEMBERS = frozenset(MEMBERS[: MEMBERS.index("userIdentity")]) - {"readOnly"}


class _Trail(msgspec.Struct):
    Records: list[Record]


_RECORD = msgspec.json.Decoder(Record)
_RECORDS = msgspec.json.Decoder(list[Record])
_TRAIL = msgspec.json.Decoder(_Trail)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


class _AsDocumented:
    """Decodes records that are all as documented. Raises: msgspec.DecodeError, where one is not."""

    def document(self, text: bytes) -> list[Record]:
        return _identified(_TRAIL.decode(text).Records)

    def array(self, text: bytes) -> list[Record]:
        return _identified(_RECORDS.decode(text))

    def lines(self, text: bytes) -> list[Record]:
        return _identified(_RECORD.decode_lines(text))


_AS_DOCUMENTED = _AsDocumented()


@dataclass(slots=True)
class Found:
    """Some of the records of one file, what is no record, and the flow-log lines that came wrapped the same way.

    Every element is counted in *seen*, once for each record, line or other thing it holds.
    """

    records: list[Record] = field(default_factory=list)
    flow_lines: list[bytes] = field(default_factory=list)
    seen: int = 0
    bad: list[BadRecord] = field(default_factory=list)
    set_apart: int = 0


def read(blocks: Iterator[bytes]) -> Iterator[Found]:
    """The records of a JSON text, as many at a time as a block of it holds, whatever form they come in.

    Every record has an `eventTime` and an `eventID`. One that cannot be kept is a BadRecord that says where and why.
    Raises: DigestError, for the digests that AWS keeps beside the logs; UnreadableFileError, for anything else.
    """
    position = 0
    try:
        for some in elements(blocks, _AS_DOCUMENTED):
            if some.decoded is not None:
                yield Found(some.decoded, seen=len(some.decoded))
            else:
                yield from_texts(some.texts, position)
            position += len(some.texts) + len(some.decoded or ())
    except RecursionError:
        raise UnreadableFileError("JSON nested too deeply: no CloudTrail record looks like that") from None


def from_texts(texts: Sequence[bytes], position: int = 0) -> Found:
    """The records of single elements, which may hold anything; *position* is that of the first."""
    found = Found()
    for at, text in enumerate(texts, position):
        try:
            unwrapped = unwrap(text)
        except ValueError as error:
            found.bad.append(BadRecord(at, str(error), text))
            continue
        for record in unwrapped.records:
            try:
                found.records.append(careful(record))
            except ValueError as error:
                found.bad.append(BadRecord(at, str(error), record))
        found.bad += [BadRecord(at, reason, part) for reason, part in unwrapped.refused]
        found.flow_lines += unwrapped.flow_lines
        found.set_apart += unwrapped.set_apart
    found.seen = len(found.records) + len(found.flow_lines) + len(found.bad) + found.set_apart
    return found


def _identified(records: list[Record]) -> list[Record]:
    """The records, when every one has an id and a time."""
    ids = [record.eventID for record in records]
    if None in ids or "" in ids or None in [record.eventTime for record in records]:
        raise msgspec.ValidationError("a record without eventID or eventTime")
    return records


def careful(text: bytes) -> Record:
    """A record that may hold anything. Raises: ValueError, saying why it cannot be kept."""
    text = surrogates.replaced(text)
    try:
        members = _OBJECT.decode(text)
    except msgspec.ValidationError:
        raise ValueError("not a JSON object") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    known: dict[str, Any] = {}
    unknown: list[bytes] = []
    for key, raw in members.items():
        if key not in MEMBERS:
            unknown.append(json.dumps(key).encode() + b":" + bytes(raw))
        elif key in _TEXT_MEMBERS:
            known[key] = _as_text(raw)
        elif key == "readOnly":
            known[key] = {b"true": True, b'"true"': True, b"false": False, b'"false"': False}.get(bytes(raw))
        else:
            known[key] = raw
    if not known.get("eventTime"):
        raise ValueError("no eventTime")
    known["eventTime"] = _moment(known["eventTime"])
    known["eventID"] = known.get("eventID") or "sha256:" + hashlib.sha256(text).hexdigest()[:32]
    return OddRecord(**known, unknown=b",".join(unknown)) if unknown else Record(**known)


def _moment(text: str) -> datetime:
    """A time with its zone; UTC, where none is written. Raises: ValueError, when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"eventTime {text[:40]!r} is not a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_text(raw: Raw) -> str | None:
    """A member that should be text: a number or an object stands as its JSON text."""
    value = msgspec.json.decode(raw)
    return value if value is None or isinstance(value, str) else bytes(raw).decode()
