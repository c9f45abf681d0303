"""CloudTrail records, from every form of JSON they come in, to the columns of `cloudtrail_events`.

msgspec types the members auditkit has columns for and leaves the rest as the exact bytes of the log, so JSON text keeps
its key order and its big numbers. A file whose records are all as documented is decoded in one go; any surprise (an
unknown member, a number where text belongs) sends that file through the careful path, record by record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Raw

from auditkit.errors import UnreadableFileError
from auditkit.logs import surrogates
from auditkit.logs.digests import DigestError
from auditkit.logs.documents import elements
from auditkit.logs.envelopes import Unwrapped, unwrap
from auditkit.logs.parsed import BadRecord

NULL = Raw(b"null")
HOPELESS = 1_000  # objects that are none of ours, and not one that is: another program's log


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
    eventVersion: str | None = None
    apiVersion: Raw = NULL
    managementEvent: bool | None = None
    tlsDetails: Raw = NULL
    serviceEventDetails: Raw = NULL
    sessionCredentialFromConsole: Raw = NULL
    vpcEndpointAccountId: Raw = NULL
    addendum: Raw = NULL
    edgeDeviceDetails: Raw = NULL
    eventContext: Raw = NULL
    insightDetails: Raw = NULL

    unknown: ClassVar[bytes] = b""


class OddRecord(Record, forbid_unknown_fields=False, gc=False):
    """An event with members that no documentation names, or that say something in a way their column cannot keep:
    the `"key":value` texts of these, joined by commas.
    """

    unknown: bytes = b""  # type: ignore[misc]


MEMBERS = Record.__struct_fields__
_NAMES = frozenset(MEMBERS)
_TEXT_MEMBERS = frozenset(MEMBERS[: MEMBERS.index("userIdentity")]) - {"readOnly"}
_PLAIN_MEMBERS = frozenset({"eventVersion", "managementEvent"})  # no columns; text and truth are decoded at less cost


class _Trail(msgspec.Struct):
    Records: list[Record]


_RECORD = msgspec.json.Decoder(Record)
_ODD_RECORD = msgspec.json.Decoder(OddRecord)
_RECORDS = msgspec.json.Decoder(list[Record])
_TRAIL = msgspec.json.Decoder(_Trail)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_BOOLEANS = {b"true": True, b'"true"': True, b"false": False, b'"false"': False}
_MICROSECOND, _ZONE = attrgetter("microsecond"), attrgetter("tzinfo")
_STRING = msgspec.json.Decoder(str)


class _AsDocumented:
    """Decodes records that are all as documented. Raises: msgspec.DecodeError, where one is not."""

    def document(self, text: bytes) -> list[Record]:
        return _plain(_TRAIL.decode(text).Records)

    def array(self, text: bytes) -> list[Record]:
        return _plain(_RECORDS.decode(text))

    def lines(self, text: bytes) -> list[Record]:
        return _plain(_RECORD.decode_lines(text))


_AS_DOCUMENTED = _AsDocumented()


@dataclass(slots=True)
class Found:
    """Some of the records of one file, what is no record, and the flow-log lines that came in the same wrapping."""

    records: list[Record] = field(default_factory=list)
    flow_lines: list[bytes] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    set_apart: int = 0

    @property
    def seen(self) -> int:
        """How many things were found, each once."""
        return len(self.records) + len(self.flow_lines) + len(self.bad) + self.set_apart


def read(blocks: Iterator[bytes]) -> Iterator[Found]:
    """The records of a JSON text, as many at a time as a block of it holds, whatever form they come in.

    Every record has an `eventTime` and an `eventID`. One that cannot be kept is a BadRecord that says where and why.
    Raises: DigestError, for the digests that AWS keeps beside the logs; UnreadableFileError, for anything else.
    """
    position = 0
    try:
        for some in elements(blocks, _AS_DOCUMENTED):
            found = Found(some.decoded) if some.decoded is not None else _one_by_one(some.texts, position)
            if not position and len(found.bad) == found.seen >= HOPELESS:
                reason = found.bad[0].reason
                raise UnreadableFileError(
                    f"JSON, but not of AWS: none of the first {found.seen:,} objects is: {reason}"
                )
            position += len(some.texts) + len(some.decoded or ())
            yield found
    except RecursionError:
        raise UnreadableFileError("JSON nested too deeply: no CloudTrail record looks like that") from None


def from_unwrapped(parts: Iterable[Unwrapped], position: int = 0) -> Found:
    """The records in what was unwrapped; *position* is that of the first part in its file."""
    found = Found()
    for at, part in enumerate(parts, position):
        for text in part.records:
            try:
                found.records.append(careful(text))
            except ValueError as error:
                found.bad.append(BadRecord(at, str(error), text))
        found.bad += [BadRecord(at, reason, text) for reason, text in part.refused]
        found.flow_lines += part.flow_lines
        found.set_apart += part.set_apart
    return found


def _one_by_one(texts: Sequence[bytes], position: int) -> Found:
    """The records of elements that may hold anything. Raises: DigestError, when all there is is one digest."""
    parts = []
    for text in texts:
        try:
            parts.append(unwrap(text))
        except DigestError:
            if len(texts) == 1 and not position:
                raise
            parts.append(Unwrapped(set_apart=1))
        except ValueError as error:
            parts.append(Unwrapped(refused=[(str(error), text)]))
    return from_unwrapped(parts, position)


def _plain(records: list[Record]) -> list[Record]:
    """The records, when every one has an id, and a time to the second in UTC: columns keep these as written."""
    ids = [record.eventID for record in records]
    times = [record.eventTime for record in records]
    if None in ids or "" in ids or None in times:
        raise msgspec.ValidationError("a record without eventID or eventTime")
    if set(map(_ZONE, times)) - {UTC} or any(map(_MICROSECOND, times)):
        raise msgspec.ValidationError("an eventTime that is not written as usual")
    return records


def careful(text: bytes) -> Record:
    """A record that may hold anything. Raises: ValueError, saying why it cannot be kept."""
    text = surrogates.replaced(text)
    with suppress(msgspec.DecodeError):
        [record] = _plain([_RECORD.decode(text)])
        return record
    try:
        members = _OBJECT.decode(text)
    except msgspec.ValidationError:
        raise ValueError("not a JSON object") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    return _with_unknown_members(text, members) or _member_by_member(text, members)


def _with_unknown_members(text: bytes, members: dict[str, Raw]) -> Record | None:
    """A record that is odd only in having more members, which is the common case and may be that of every record: AWS
    adds members. None, for any other.
    """
    try:
        record = _ODD_RECORD.decode(text)
        _plain([record])
    except msgspec.DecodeError:
        return None
    record.unknown = _texts(members, members.keys() - _NAMES)
    return record


def _texts(members: dict[str, Raw], names: Iterable[str]) -> bytes:
    """The members of these names as they are written, in their order."""
    chosen = set(names)
    return b",".join(json.dumps(key).encode() + b":" + bytes(raw) for key, raw in members.items() if key in chosen)


def _member_by_member(text: bytes, members: dict[str, Raw]) -> Record:
    known: dict[str, Any] = {}
    odd: list[str] = []  # members whose text has to be kept beside their column, or that have none
    for key, raw in members.items():
        if key not in _NAMES:
            odd.append(key)
        elif key == "eventVersion" and bytes(raw)[:1] == b'"':
            known[key] = _STRING.decode(raw)
        elif key == "managementEvent" and bytes(raw) in (b"true", b"false"):
            known[key] = bytes(raw) == b"true"
        elif key in _PLAIN_MEMBERS:
            odd.append(key)
        elif key in _TEXT_MEMBERS:
            known[key], is_exact = _as_text(raw)
            if not is_exact:
                odd.append(key)
        elif key == "readOnly":
            known[key] = _BOOLEANS.get(bytes(raw))
            if bytes(raw) not in (b"true", b"false", b"null"):
                odd.append(key)
        else:
            known[key] = raw
    if not known.get("eventTime"):
        raise ValueError("no eventTime")
    moment = _moment(known["eventTime"])
    if f"{moment:%Y-%m-%dT%H:%M:%SZ}" != known["eventTime"]:
        odd.append("eventTime")
    known["eventTime"] = moment
    if not known.get("eventID"):
        known["eventID"] = "sha256:" + hashlib.sha256(text).hexdigest()[:32]
        odd += ["eventID"] if "eventID" in members else []
    unknown = _texts(members, odd)
    return OddRecord(**known, unknown=unknown) if unknown else Record(**known)


def _moment(text: str) -> datetime:
    """A time in UTC, which is meant where no zone is written. Raises: ValueError, when it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the year 0 in UTC
        raise ValueError(f"eventTime {text[:40]!r} is not a time") from None


def _as_text(raw: Raw) -> tuple[str | None, bool]:
    """A member that should be text, and whether it is: a number or an object stands as its JSON text."""
    text = bytes(raw)
    if text.startswith(b'"'):
        return _STRING.decode(text), True
    return (None, True) if text == b"null" else (text.decode(), False)
