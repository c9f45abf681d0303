"""JSON cut into its elements: what holds CloudTrail records together, and how to read it a block at a time.

A list of objects, in an object or alone, or one object after the other. A document of any size is cut where one object
ends and the next begins. That place is guessed, from how the first object begins, and the guess is proven by decoding
what stands before it: inside a string, or deeper in an object, it would not be whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, Protocol

import msgspec

from auditkit.errors import UnreadableFileError

MOST_HELD = 64 << 20  # of text in which no object ends: no event is a hundredth of that
_GUESSES = 8
_LISTS = ("Records", "Events", "events")
_LIST_START = re.compile(rb'\s*(\{\s*"(?:Records|Events|events)"\s*:\s*)?\[')
_LIST_END = re.compile(rb"\s*\]")
_OPENING = re.compile(rb'\s*(\{\s*"(?:[^"\\]|\\.)*")')  # of an object: its brace and its first key
_SPACE = b" \t\r\n"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_JSON = json.JSONDecoder(parse_int=float)  # Python refuses to make an int of thousands of digits


class Decoder(Protocol):
    """Makes records of JSON where all of them are as documented. Raises: msgspec.DecodeError, where one is not."""

    def document(self, text: bytes) -> list[Any]:
        """Of `{"Records": […]}`."""

    def array(self, text: bytes) -> list[Any]:
        """Of `[…]`."""

    def lines(self, text: bytes) -> list[Any]:
        """Of one object a line."""


class Elements(NamedTuple):
    """Some elements of a text, in order: decoded where that could be done for all of them, else their exact texts."""

    decoded: list[Any] | None
    texts: list[bytes]


def elements(blocks: Iterator[bytes], decoder: Decoder) -> Iterator[Elements]:
    """The elements of a JSON text, as many at a time as a block holds.

    They are the items of its lists of records and of its arrays, and every other object that stands alone. A text that
    is one such object is itself the only element.
    Raises: UnreadableFileError, where the JSON breaks.
    """
    first = next(blocks)
    second = next(blocks, None)
    if second is None:
        yield _of_whole(first, decoder)
    elif start := _LIST_START.match(first):
        opening = b'{"Records":[' if start[1] else b"["
        yield from _of_long_list(chain([first[start.end() :], second], blocks), opening, decoder)
    else:
        yield from _of_long_sequence(chain([first, second], blocks), decoder)


def _of_whole(text: bytes, decoder: Decoder) -> Elements:
    start = _LIST_START.match(text)
    with suppress(msgspec.DecodeError):
        if not start:
            return Elements(decoder.lines(text), [])
        return Elements(decoder.document(text) if start[1] else decoder.array(text), [])
    return Elements(None, _texts(text))


def _texts(text: bytes) -> list[bytes]:
    """The texts of all elements."""
    try:
        return _items(text)
    except msgspec.ValidationError:
        raise UnreadableFileError("JSON, but not the JSON of CloudTrail: its records are not a list") from None
    except msgspec.DecodeError:
        pass
    try:
        return _of_sequence(text)
    except UnreadableFileError:
        if start := _LIST_START.match(text):
            _Walk(text.decode(), start.end()).to_the_end()  # says how many whole records stand before the break
        raise


def _items(text: bytes) -> list[bytes]:
    """The items of an array, or of an object's list of records; else the object itself. Raises: msgspec.DecodeError."""
    if text.lstrip()[:1] == b"[":
        return [bytes(raw) for raw in _ARRAY.decode(text)]
    members = _OBJECT.decode(text)
    for name in _LISTS:
        if name in members:
            return [bytes(raw) for raw in _ARRAY.decode(members[name])]
    return [text]


def _of_sequence(text: bytes) -> list[bytes]:
    """The elements of one object or array after the other."""
    return _opened(_of_lines(text) or _Walk(text.decode(), 0, is_list=False).to_the_end())


def _opened(texts: list[bytes]) -> list[bytes]:
    """The same with the items of each list in its place; what cannot be opened is left for others to judge."""
    if not any(text[:1] == b"[" or any(b'"%b"' % name.encode() in text for name in _LISTS) for text in texts):
        return texts
    opened = []
    for text in texts:
        try:
            opened += _items(text)
        except msgspec.DecodeError:
            opened += _walked(text)
    return opened


def _walked(text: bytes) -> list[bytes]:
    """The items of the list that a text begins with; the text as it is, when it is none, or is broken."""
    if start := _LIST_START.match(text):
        with suppress(UnreadableFileError):
            return _Walk(text.decode(), start.end()).to_the_end()
    return [text]


def _of_lines(text: bytes) -> list[bytes]:
    """The texts of one object a line, or several; nothing, when that is not what this is."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in lines):
        return []
    return [part for line in lines for part in _of_line(line)]


def _of_line(line: bytes) -> list[bytes]:
    """The objects of a line; the line as it is, when it is broken."""
    with suppress(msgspec.DecodeError):
        _OBJECT.decode(line)
        return [line]
    with suppress(UnreadableFileError):
        return _Walk(line.decode(), 0, is_list=False).to_the_end()
    return [line]


def _of_long_list(blocks: Iterator[bytes], opening: bytes, decoder: Decoder) -> Iterator[Elements]:
    """The elements of a list of which *opening* has been taken off, and of what stands behind it."""
    buffer = next(blocks)
    begins = match[1] if (match := _OPENING.match(buffer)) else b"{"
    for block in blocks:
        found, buffer = _cut(buffer, begins, decoder)
        if found:
            yield found
        if _LIST_END.match(buffer):
            yield from _of_long_sequence(chain([opening + buffer, block], blocks), decoder)
            return
        buffer = _longer(buffer, block)
    yield _of_whole(opening + buffer, decoder)


def _cut(buffer: bytes, begins: bytes, decoder: Decoder) -> tuple[Elements | None, bytes]:
    """The whole elements at the beginning of *buffer*, and what stands behind them and their comma."""
    at = len(buffer)
    for _ in range(_GUESSES):
        at = buffer.rfind(begins, 0, at)
        if at <= 0:
            break
        end = at - 1
        while end and buffer[end] in _SPACE:
            end -= 1
        if buffer[end] != ord(","):
            continue
        if not end or buffer[:end].isspace():
            break  # a comma, and nothing that it could follow
        text = b"[%b]" % buffer[:end]
        with suppress(msgspec.DecodeError):
            return Elements(decoder.array(text), []), buffer[at:]
        with suppress(msgspec.DecodeError):
            return Elements(None, [bytes(raw) for raw in _ARRAY.decode(text)]), buffer[at:]
    walk = _Walk(buffer.decode(), 0)
    texts = walk.as_far_as_it_goes()
    return (Elements(None, texts), walk.rest()) if texts else (None, buffer)


def _of_long_sequence(blocks: Iterator[bytes], decoder: Decoder) -> Iterator[Elements]:
    """The elements of a text in which one object or array follows the other."""
    buffer = next(blocks)
    is_first = True
    for block in blocks:
        whole, line_end, rest = buffer.rpartition(b"\n")
        found = _of_some_lines(whole, decoder) if line_end else None
        if not found:
            walk = _Walk(buffer.decode(), 0, is_list=False)
            texts = walk.as_far_as_it_goes()
            found, rest = Elements(None, _opened(texts)) if texts else None, walk.rest()
        if found:
            yield found
            buffer, is_first = rest, False
        buffer = _longer(buffer, block)
    if is_first:
        yield _of_whole(buffer, decoder)
    else:
        yield _of_some_lines(buffer, decoder) or Elements(None, _of_sequence(buffer))


def _of_some_lines(text: bytes, decoder: Decoder) -> Elements | None:
    with suppress(msgspec.DecodeError):
        return Elements(decoder.lines(text), [])
    texts = _of_lines(text)
    return Elements(None, _opened(texts)) if texts else None


def _longer(buffer: bytes, block: bytes) -> bytes:
    if len(buffer) > MOST_HELD:
        begins = buffer[:40].decode(errors="replace")
        raise UnreadableFileError(f"the JSON breaks: no object ends in {len(buffer):,} bytes, which begin {begins!r}")
    return buffer + block


class _Walk:
    """Goes from element to element with Python's own reader, which takes what strict readers refuse.

    A lone surrogate, which any caller can put into a user agent, makes a whole document unreadable to those.
    """

    def __init__(self, text: str, at: int, *, is_list: bool = True) -> None:
        self._text, self._at, self._is_list = text, at, is_list
        self._texts: list[bytes] = []
        self._certain = 0  # of them; the last may turn out to be the beginning of a longer one

    def to_the_end(self) -> list[bytes]:
        """The texts of all elements. Raises: UnreadableFileError, saying where the text breaks."""
        try:
            while self._step():
                pass
        except json.JSONDecodeError as error:
            raise UnreadableFileError(self._broken(error)) from None
        return self._texts

    def as_far_as_it_goes(self) -> list[bytes]:
        """The texts of the elements that are whole, and certain to be, whatever follows."""
        with suppress(json.JSONDecodeError):
            while self._step():
                pass
        return self._texts[: self._certain]

    def rest(self) -> bytes:
        """What stands behind the elements taken, and behind their comma."""
        return self._text[self._at :].encode()

    def _step(self) -> bool:
        """One element further. Raises: json.JSONDecodeError."""
        at = self._skip(self._at)
        if at == len(self._text) and not self._is_list:
            return False
        if self._text[at : at + 1] == "]" and self._is_list:
            self._at = at
            return False
        if self._text[at : at + 1] not in ("{", "[") and not self._is_list:
            raise json.JSONDecodeError("an object was expected", self._text, at)
        _, end = _JSON.raw_decode(self._text, at)
        self._texts.append(self._text[at:end].encode())
        self._at = self._next_item(end) if self._is_list else end
        self._certain += 1
        return True

    def _next_item(self, end: int) -> int:
        """Where the list goes on behind an item. A comma is one only if it has something to separate."""
        at = self._skip(end)
        if self._text[at : at + 1] == ",":
            at = self._skip(at + 1)
            if self._text[at : at + 1] not in ("", "]"):
                return at
        elif self._text[at : at + 1] == "]":
            return at
        raise json.JSONDecodeError("a comma or the end of the list was expected", self._text, at)

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in " \t\r\n":
            at += 1
        return at

    def _broken(self, error: json.JSONDecodeError) -> str:
        if not self._texts and not self._is_list:
            return f"not JSON: it begins {self._text[:40]!r}"
        whole = "1 whole record stands" if len(self._texts) == 1 else f"{len(self._texts)} whole records stand"
        return f"the JSON breaks at character {error.pos} (line {error.lineno}): {error.msg}; {whole} before it"
