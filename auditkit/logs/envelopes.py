"""What AWS and others wrap records in: one JSON object of a file to the CloudTrail records and flow-log lines in it.

A record's JSON text comes out as it went in, to the byte; one that lies inside a string is unescaped once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from auditkit.logs import digests, surrogates
from auditkit.logs.digests import DigestError

_NULL = Raw(b"null")
_DEEPEST = 6  # a subscription's log event with an EventBridge envelope is four deep; what goes on is made to


@dataclass(slots=True)
class Unwrapped:
    """What one element stands for. Every part of it is in exactly one of the four."""

    records: list[bytes] = field(default_factory=list)  # JSON texts
    flow_lines: list[bytes] = field(default_factory=list)  # without a header
    set_apart: int = 0  # what AWS writes that is neither: aggregated events, other EventBridge events, control messages
    refused: list[tuple[str, bytes]] = field(default_factory=list)  # parts that are none of ours: the reason, the text

    def add(self, other: Unwrapped) -> None:
        self.records += other.records
        self.flow_lines += other.flow_lines
        self.set_apart += other.set_apart
        self.refused += other.refused

    @property
    def kept(self) -> int:
        """How many parts are known for what they are."""
        return len(self.records) + len(self.flow_lines) + self.set_apart


class _Element(msgspec.Struct, gc=False):
    """The members that tell the forms apart."""

    eventTime: Raw = _NULL
    eventName: Raw = _NULL
    eventVersion: Raw = _NULL
    CloudTrailEvent: Raw = _NULL
    detail_type: Raw = msgspec.field(name="detail-type", default=_NULL)
    detail: Raw = _NULL
    messageType: Raw = _NULL
    logEvents: Raw = _NULL
    message: Raw = _NULL
    Records: Raw = _NULL
    Events: Raw = _NULL
    events: Raw = _NULL
    timeWindow: Raw = _NULL
    summary: Raw = _NULL
    digestStartTime: Raw = _NULL

    @property
    def is_record(self) -> bool:
        """Whether the three members are there that every record has and nothing else has together."""
        return _NULL not in (self.eventTime, self.eventName, self.eventVersion)


_ELEMENT = msgspec.json.Decoder(_Element)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_TEXT = msgspec.json.Decoder(str)


def unwrap(element: bytes) -> Unwrapped:
    """The records and flow-log lines of one JSON object, through every form it may come in.

    - a record; an Insight or NetworkActivity record is one, told by its `eventCategory`
    - an element of `aws cloudtrail lookup-events`, with the record in a string; an EventBridge event, with the record
      as `detail`; an object of any other make that holds exactly one object with eventTime, eventName and eventVersion
      (no other document of AWS has the three together, so nothing else can be meant; the rest of the wrapping is not
      CloudTrail's and is let go)
    - a CloudWatch log event, or a subscription's document of many, with a record or a flow-log line as message
    - a document with a list of any of these in `Records`, `Events` or `events`

    Raises: DigestError, for a digest; ValueError, for an object that is none of these, saying what was expected. Of a
    list or a document only the parts are refused, and the others stand.
    """
    found = Unwrapped()
    _open(element, found, 0)
    return found


def unwrap_message(message: bytes) -> Unwrapped:
    """The same for the message of a CloudWatch log event, which may be a flow-log line."""
    found = Unwrapped()
    _open_message(message, found, 0)
    return found


def _open(text: bytes, found: Unwrapped, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("wrapped too deeply")
    text = surrogates.replaced(text)
    element = _element(text)
    if element.eventTime != _NULL:
        found.records.append(text)
    elif element.digestStartTime != _NULL:
        digest = None
        with suppress(msgspec.DecodeError):
            digest = digests.parse(text)
        raise DigestError(digest)
    elif element.timeWindow != _NULL and element.summary != _NULL:
        found.set_apart += 1  # counts calls, and is none
    elif element.CloudTrailEvent != _NULL:
        _open(_string(element.CloudTrailEvent, "CloudTrailEvent"), found, depth + 1)
    elif element.detail != _NULL and element.detail_type != _NULL:
        _open_detail(element, found, depth)
    elif element.messageType != _NULL:
        if bytes(element.messageType) == b'"DATA_MESSAGE"':
            _open_each(element.logEvents, "logEvents", found, depth)
        else:
            found.set_apart += 1  # CloudWatch asks whether anybody listens
    elif element.message != _NULL:
        _open_message(_string(element.message, "message"), found, depth + 1)
    elif lists := [name for name in ("Records", "Events", "events") if getattr(element, name) != _NULL]:
        for name in lists:
            _open_each(getattr(element, name), name, found, depth)
    elif element.eventName != _NULL:
        found.records.append(text)  # a record, and whoever reads it says that it has no time
    else:
        found.records.append(_only_record_in(text))


def _element(text: bytes) -> _Element:
    try:
        return _ELEMENT.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply: no CloudTrail record looks like that") from None
    except msgspec.ValidationError:
        raise ValueError("not a JSON object") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None


def _open_each(texts: Raw, name: str, found: Unwrapped, depth: int) -> None:
    try:
        parts = _ARRAY.decode(texts)
    except msgspec.ValidationError:
        raise ValueError(f"its {name} are not a list") from None
    for part in map(bytes, parts):
        try:
            _open(part, found, depth + 1)
        except ValueError as error:
            found.refused.append((str(error), part))


def _open_detail(element: _Element, found: Unwrapped, depth: int) -> None:
    """EventBridge carries events of every service; CloudTrail's say so in their type."""
    if bytes(element.detail_type).endswith(b' via CloudTrail"') or _element(element.detail).is_record:
        _open(bytes(element.detail), found, depth + 1)
    else:
        found.set_apart += 1


def _open_message(message: bytes, found: Unwrapped, depth: int) -> None:
    message = message.strip()
    if message.startswith(b"{"):
        _open(message, found, depth)
    elif _is_flow_line(message):
        found.flow_lines.append(message)
    else:
        raise ValueError("a log message that is neither a CloudTrail record nor a flow-log line")


def _is_flow_line(message: bytes) -> bool:
    """Whatever fields a flow log has, two of them are times: seconds since 1970, ten digits each."""
    return sum(len(word) == 10 and word.isdigit() for word in message.split()) >= 2 and b"\n" not in message


def _string(value: Raw, name: str) -> bytes:
    """What a JSON string says; an object, as some tools write in its place, is taken as it is."""
    text = bytes(value)
    if text.startswith(b"{"):
        return text
    try:
        return _TEXT.decode(text).encode()
    except msgspec.ValidationError:
        raise ValueError(f"its {name} is neither text nor an object") from None


def _only_record_in(text: bytes) -> bytes:
    values = map(bytes, _OBJECT.decode(text).values())
    records = [value for value in values if value.startswith(b"{") and _element(value).is_record]
    if len(records) != 1:
        what = f"{len(records)} records" if records else 'no "eventTime", no "Records" or "Events", no "message"'
        raise ValueError(f"not an object that CloudTrail records come in: {what}")
    return records[0]
