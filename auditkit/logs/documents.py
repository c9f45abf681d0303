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
_NEXT_DOCUMENT = re.compile(rb'\]\s*\}\s*\{\s*"(?:Records|Events|events)"\s*:')  # behind the end of one
_OPENING = re.compile(rb'\s*(\{\s*"(?:[^"\\]|\\.)*")')  # of an object: its brace and its first key
_SPACE = b" \t\r\n"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_JSON = json.JSONDecoder()


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

    A text that is one object, and is neither a list of records nor followed by another, is itself the only element.
    Raises: UnreadableFileError, where the JSON breaks.
    """
    first = next(blocks)
    second = next(blocks, None)
    if second is None:
        yield _of_whole(first, decoder)
    elif (start := _LIST_START.match(first)) and not _NEXT_DOCUMENT.search(first):
        yield from _of_long_list(chain([first[start.end() :], second], blocks), bool(start[1]), decoder)
    else:
        yield from _of_long_sequence(chain([first, second], blocks), decoder)


def _of_whole(text: bytes, decoder: Decoder) -> Elements:
    start = _LIST_START.match(text)
    with suppress(msgspec.DecodeError):
        if not start:
            return Elements(decoder.lines(text), [])
        return Elements(decoder.document(text) if start[1] else decoder.array(text), [])
    return Elements(None, _texts(text, is_list=text.lstrip()[:1] == b"["))


def _texts(text: bytes, *, is_list: bool) -> list[bytes]:
    """The texts of all elements."""
    try:
        if is_list:
            return [bytes(raw) for raw in _ARRAY.decode(text)]
        members = _OBJECT.decode(text)
        for name in _LISTS:
            if name in members:
                return [bytes(raw) for raw in _ARRAY.decode(members[name])]
        return [text]
    except msgspec.ValidationError:
        raise UnreadableFileError("JSON, but not the JSON of CloudTrail: its records are not a list") from None
    except msgspec.DecodeError:
        pass
    start = _LIST_START.match(text)
    if is_list and start:
        return _Walk(text.decode(), start.end()).to_the_end()
    try:
        return _of_lines(text) or _Walk(text.decode(), 0, is_list=False).to_the_end()
    except UnreadableFileError:
        if start:
            _Walk(text.decode(), start.end()).to_the_end()  # says how many whole records stand before the break
        raise


def _of_lines(text: bytes) -> list[bytes]:
    """The texts of one object a line, or several; nothing, when that is not what this is."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not all(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in lines):
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


def _of_long_list(blocks: Iterator[bytes], is_member: bool, decoder: Decoder) -> Iterator[Elements]:
    """The elements of a list whose opening bracket has been taken off."""
    buffer = next(blocks)
    opening = match[1] if (match := _OPENING.match(buffer)) else b"{"
    for block in blocks:
        found, buffer = _cut(buffer, opening, decoder)
        if found:
            yield found
        buffer = _longer(buffer, block)
    if is_member:
        yield _of_whole(b'{"Records":[' + buffer, decoder)
    else:
        yield _of_whole(b"[" + buffer, decoder)


def _cut(buffer: bytes, opening: bytes, decoder: Decoder) -> tuple[Elements | None, bytes]:
    """The whole elements at the beginning of *buffer*, and what stands behind them."""
    at = len(buffer)
    for _ in range(_GUESSES):
        at = buffer.rfind(opening, 0, at)
        if at <= 0:
            break
        end = at - 1
        while end and buffer[end] in _SPACE:
            end -= 1
        if buffer[end] != ord(","):
            continue
        text = b"[%b]" % buffer[:end]
        with suppress(msgspec.DecodeError):
            return Elements(decoder.array(text), []), buffer[at:]
        with suppress(msgspec.DecodeError):
            return Elements(None, [bytes(raw) for raw in _ARRAY.decode(text)]), buffer[at:]
    walk = _Walk(buffer.decode(), 0)
    texts = walk.as_far_as_it_goes()
    return (Elements(None, texts), walk.rest()) if texts else (None, buffer)


def _of_long_sequence(blocks: Iterator[bytes], decoder: Decoder) -> Iterator[Elements]:
    """The elements of a text in which one object follows the other."""
    buffer = next(blocks)
    for block in blocks:
        whole, line_end, rest = buffer.rpartition(b"\n")
        lines = _of_some_lines(whole, decoder) if line_end else None
        if lines:
            yield lines
            buffer = rest
        else:
            walk = _Walk(buffer.decode(), 0, is_list=False)
            texts = walk.as_far_as_it_goes()
            if texts:
                yield Elements(None, texts)
                buffer = walk.rest()
        buffer = _longer(buffer, block)
    yield _of_whole(buffer, decoder)


def _of_some_lines(text: bytes, decoder: Decoder) -> Elements | None:
    with suppress(msgspec.DecodeError):
        return Elements(decoder.lines(text), [])
    texts = _of_lines(text)
    return Elements(None, texts) if texts else None


def _longer(buffer: bytes, block: bytes) -> bytes:
    if len(buffer) > MOST_HELD:
        raise UnreadableFileError(
            f"the JSON breaks: no object ends in {len(buffer):,} bytes, which begin {buffer[:40].decode()!r}"
        )
    return buffer + block


class _Walk:
    """Goes from element to element with Python's own reader, which takes what strict readers refuse.

    A lone surrogate, which any caller can put into a user agent, makes a whole document unreadable to those.
    """

    def __init__(self, text: str, at: int, *, is_list: bool = True) -> None:
        self._text, self._at, self._is_list = text, at, is_list
        self._texts: list[bytes] = []

    def to_the_end(self) -> list[bytes]:
        """The texts of all elements. Raises: UnreadableFileError, saying where the text breaks."""
        try:
            while self._step():
                pass
        except json.JSONDecodeError as error:
            raise UnreadableFileError(self._broken(error)) from None
        return self._texts

    def as_far_as_it_goes(self) -> list[bytes]:
        """The texts of the elements that are whole."""
        with suppress(json.JSONDecodeError):
            while self._step():
                pass
        return self._texts

    def rest(self) -> bytes:
        """What stands behind the elements taken."""
        return self._text[self._at :].encode()

    def _step(self) -> bool:
        """One element further. Raises: json.JSONDecodeError."""
        at = self._skip(self._at)
        if self._is_list and self._text[at : at + 1] == "]":
            self._at = at
            return False
        if not self._is_list and at == len(self._text):
            return False
        if self._is_list and self._texts:
            if self._text[at : at + 1] != ",":
                raise json.JSONDecodeError("a comma or the end of the list was expected", self._text, at)
            at = self._skip(at + 1)
        _, end = _JSON.raw_decode(self._text, at)
        self._texts.append(self._text[at:end].encode())
        self._at = end
        return True

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in " \t\r\n":
            at += 1
        return at

    def _broken(self, error: json.JSONDecodeError) -> str:
        if not self._texts and not self._is_list:
            return f"not JSON: it begins {self._text[:40]!r}"
        whole = "1 whole record stands" if len(self._texts) == 1 else f"{len(self._texts)} whole records stand"
        return f"the JSON breaks at character {error.pos} (line {error.lineno}): {error.msg}; {whole} before it"
