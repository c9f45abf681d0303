"""CloudTrail as text: what a CloudWatch export task writes, and the CSV that the Event history console saves."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from auditkit.errors import UnreadableFileError
from auditkit.logs.envelopes import Unwrapped, unwrap_message

_STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=\s|$)")
_WRITE_TEST = b"Permission Check Successful"
_HOPELESS = 1_000  # messages that are none of ours, and not one that is: the export of another log group
_TOGETHER = 5_000  # messages or rows handed on at once

# The columns of Event history, and the members of a record they show.
_MEMBERS = {
    "Event time": "eventTime",
    "Event source": "eventSource",
    "Event name": "eventName",
    "AWS region": "awsRegion",
    "Source IP address": "sourceIPAddress",
    "User agent": "userAgent",
    "Error code": "errorCode",
    "Request ID": "requestID",
    "Event ID": "eventID",
    "Event type": "eventType",
    "Recipient Account Id": "recipientAccountId",
    "Event category": "eventCategory",
}
_NEEDED = {"Event time", "Event source", "Event name", "Event ID"}
_BOOLEANS = {"true": True, "false": False}
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def is_export(first_line: bytes) -> bool:
    """Whether a text that begins with this line comes from a CloudWatch export task: a time and a message a line."""
    return _STAMPED.match(first_line) is not None


def is_event_history(first_line: bytes) -> bool:
    """Whether it is the header of an Event history CSV, its columns in whatever order."""
    return set(_header(first_line)) >= _NEEDED


def is_write_test(text: bytes) -> bool:
    """Whether it is the object `aws-logs-write-test` that an export task leaves beside its files."""
    return text.strip() == _WRITE_TEST


def records(blocks: Iterable[bytes]) -> Iterator[Unwrapped]:
    """What the messages of an export, or the rows of an Event history CSV, stand for; a few thousand at a time.

    *blocks* are one file's text in order, without a byte order mark, cut anywhere: a line is put together before it is
    looked at. So a file of any size is read in the memory of its longest record.

    An export's message goes on to the next line that begins with a time: a record may be pretty-printed. The time is
    that of delivery and is left out.

    A row of the CSV becomes the text of a record with what the row tells. The console keeps the identity to itself but
    for a name (a user's, or a session's: it does not say which) and an access key, so the identity's type is `Unknown`,
    CloudTrail's own word for it, and no ARN is made up; a row without either says nothing of who. Columns that no
    record has are kept as members of their own name.
    Raises: UnreadableFileError, for an export whose first thousand messages are none of ours.
    """
    lines = _lines(blocks)
    first = next(lines, b"")
    if is_event_history(first):
        yield from _history(_header(first), lines)
    else:
        yield from _export(first, lines)


def _export(first: bytes, lines: Iterator[bytes]) -> Iterator[Unwrapped]:
    found = Unwrapped()
    for read, message in enumerate(_messages(first, lines), start=1):
        try:
            found.add(unwrap_message(message))
        except ValueError as error:
            found.refused.append((str(error), message))
        if read == _HOPELESS and not found.kept:
            raise UnreadableFileError("a CloudWatch export that holds neither CloudTrail records nor flow-log lines")
        if read % _TOGETHER == 0:
            yield found
            found = Unwrapped()
    yield found


def _messages(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    message = [_STAMPED.sub(b"", first, count=1)]
    for line in lines:
        if _STAMPED.match(line):
            yield b"".join(message)
            message = [_STAMPED.sub(b"", line, count=1)]
        else:
            message.append(line)
    yield b"".join(message)


def _history(header: list[str], lines: Iterator[bytes]) -> Iterator[Unwrapped]:
    found = Unwrapped()
    row: list[bytes] = []  # the lines of the row under way: a quoted cell may hold a line break
    rows = csv.reader(_decoded(lines, row), strict=True)
    while True:
        row.clear()
        try:
            if cells := next(rows):
                found.records.append(_record(header, cells))
        except StopIteration:
            break
        except (csv.Error, ValueError) as error:
            found.refused.append((f"not a row of Event history: {error}", b"".join(row)))
        if len(found.records) == _TOGETHER:
            yield found
            found = Unwrapped()
    yield found


def _decoded(lines: Iterator[bytes], row: list[bytes]) -> Iterator[str]:
    for line in lines:
        row.append(line)
        yield line.decode()


def _record(header: list[str], cells: list[str]) -> bytes:
    """The text of a record. An empty cell is a member that is not there."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
    row = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    identity = {"userName": row.pop("User name", None), "accessKeyId": row.pop("AWS access key", None)}
    known = {member: value for member, value in identity.items() if value}
    members: dict[str, Any] = {"userIdentity": {"type": "Unknown"} | known} if known else {}
    for name, cell in row.items():
        if name == "Read-only":
            members["readOnly"] = _BOOLEANS.get(cell, cell)
        elif name == "Resources":
            members["resources"] = _list(cell)
        else:
            members[_MEMBERS.get(name, name)] = cell
    return msgspec.json.encode(members)


def _list(cell: str) -> msgspec.Raw | str:
    """A list as its exact text; anything else as a string."""
    try:
        _LIST.decode(cell)
    except msgspec.DecodeError:
        return cell
    return msgspec.Raw(cell.encode())


def _header(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode(errors="replace").strip()], strict=True), [])
    except csv.Error:
        return []


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, wherever the blocks were cut."""
    pieces: list[bytes] = []
    for block in blocks:
        *whole, rest = block.split(b"\n")
        for line in whole:
            yield b"".join((*pieces, line, b"\n"))
            pieces.clear()
        if rest:
            pieces.append(rest)
    if pieces:
        yield b"".join(pieces)
