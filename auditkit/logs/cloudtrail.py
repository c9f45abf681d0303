"""CloudTrail records, from every form of JSON they come in, to the columns of `cloudtrail_events`.

msgspec types the members auditkit has columns for and leaves the rest as the exact bytes of the log, so JSON text keeps
its key order and its big numbers. A file whose records are all as documented is decoded in one go; any surprise (an
unknown member, a number where text belongs) sends that file through the careful path, record by record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Raw

from auditkit.errors import UnreadableFileError
from auditkit.logs import digests, surrogates
from auditkit.logs.digests import DigestError
from auditkit.logs.parsed import BadRecord, Parsed

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


class _LookupEvent(msgspec.Struct):
    CloudTrailEvent: str


_TRAIL = msgspec.json.Decoder(_Trail)
_LOOKUP_EVENT = msgspec.json.Decoder(_LookupEvent)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_TRAIL_START = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[')


def parse(text: bytes) -> Parsed[list[Record]]:
    """The records of a JSON text: a trail file, an array or lines of records, or what `lookup-events` prints.

    Every record of the result has an `eventTime` and an `eventID`. A record that cannot be kept is
    a BadRecord that says where and why.
    Raises: DigestError, for the digests that AWS keeps beside the logs; UnreadableFileError, for anything else.
    """
    try:
        return _parse(text)
    except RecursionError:
        raise UnreadableFileError("JSON nested too deeply: no CloudTrail record looks like that") from None


def _parse(text: bytes) -> Parsed[list[Record]]:
    if _TRAIL_START.match(text):
        try:
            records = _TRAIL.decode(text).Records
        except msgspec.DecodeError:
            pass  # somewhere a surprise: take the file record by record
        else:
            if _all_identified(records):
                return Parsed(records, seen=len(records))
    records, bad, seen = [], [], 0
    for position, record_text in enumerate(_record_texts(text)):
        seen += 1
        try:
            records.append(_careful(record_text))
        except ValueError as error:
            bad.append(BadRecord(position, str(error), record_text))
    return Parsed(records, seen=seen, bad=bad)


def _all_identified(records: list[Record]) -> bool:
    """Whether every record has an id and a time."""
    ids = [record.eventID for record in records]
    return None not in ids and "" not in ids and None not in [record.eventTime for record in records]


def _careful(text: bytes) -> Record:
    """A record that may hold anything. Raises: ValueError, saying why it cannot be kept."""
    text = surrogates.replaced(text)
    if b'"CloudTrailEvent"' in text:
        with suppress(msgspec.DecodeError):  # raised by a record that merely mentions the word
            text = _LOOKUP_EVENT.decode(text).CloudTrailEvent.encode()
    try:
        members = _OBJECT.decode(text)
    except msgspec.ValidationError:
        raise ValueError("not a JSON object") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    if "timeWindow" in members and "eventTime" not in members:
        raise ValueError("an aggregated event (CloudTrail-Aggregated): it counts calls and is none")
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


def _record_texts(text: bytes) -> Iterator[bytes]:
    """The exact text of every record, whatever holds them together."""
    try:
        if text.lstrip()[:1] == b"[":
            yield from map(bytes, _ARRAY.decode(text))
        else:
            yield from _in_object(text, _OBJECT.decode(text))
        return
    except msgspec.ValidationError:
        raise UnreadableFileError("JSON, but not the JSON of CloudTrail: its records are not a list") from None
    except msgspec.DecodeError:
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in lines):
        yield from lines
    else:
        yield from _walk(text.decode())


def _in_object(text: bytes, members: dict[str, Raw]) -> Iterator[bytes]:
    if "digestStartTime" in members:
        digest = None
        with suppress(msgspec.DecodeError):
            digest = digests.parse(text)
        raise DigestError(digest)
    for key in ("Records", "Events"):
        if key in members:
            yield from map(bytes, _ARRAY.decode(members[key]))
            return
    if not ({"eventName", "eventTime", "CloudTrailEvent"} & members.keys()):
        raise UnreadableFileError('JSON, but not the JSON of CloudTrail: no "Records", no "Events", no "eventName"')
    yield text


def _walk(text: str) -> Iterator[bytes]:
    """Records of a document that msgspec refuses: Python's own reader finds where each ends, or where the text breaks.

    A lone surrogate, which any caller can put into a user agent, makes a whole document unreadable to strict readers.
    """
    decoder = json.JSONDecoder()
    opening = text.find("[")
    if opening < 0:
        raise UnreadableFileError("not JSON: " + _first_words(text))
    at, found = opening + 1, 0
    texts: list[bytes] = []
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            break
        if found:
            if text[at : at + 1] != ",":
                raise UnreadableFileError(_broken(text, at, found, "a comma or the end of the list was expected"))
            at = _skip(text, at + 1)
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise UnreadableFileError(_broken(text, error.pos, found, error.msg)) from None
        texts.append(text[at:end].encode())
        at, found = end, found + 1
    yield from texts


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _broken(text: str, at: int, found: int, why: str) -> str:
    line = text.count("\n", 0, at) + 1
    whole = "1 whole record stands" if found == 1 else f"{found} whole records stand"
    return f"the JSON breaks at character {at} (line {line}): {why}; {whole} before it"


def _first_words(text: str) -> str:
    return f"it begins {text[:40]!r}"
