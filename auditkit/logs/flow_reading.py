"""How the lines of many texts become rows: together where they can be, and line by line where one is odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from auditkit.errors import UnreadableFileError
from auditkit.logs import flow_format, flow_lines
from auditkit.logs.flow_columns import columns
from auditkit.logs.flow_format import EXAMPLE, FlowFormat, Layout
from auditkit.logs.parsed import BadRecord

LOOKED_AT_BY_LINE = 32 << 10  # bytes around an odd line that are worth no further attempt to read them at once
_LINE_END = ord("\n")
_GATEWAY = Layout(("resource-type",))  # of Transit Gateway records without a header: they are counted, not read


@dataclass(frozen=True, slots=True)
class FlowLogBooks:
    """A FlowLog without its rows, which are among those of its batch."""

    stored: int
    seen: int
    bad: list[BadRecord]
    set_apart: int
    flow_format: str | None


@dataclass(slots=True)
class Reading:
    """Where the reader of one text stands."""

    number: int  # of the text in its batch
    given: FlowFormat | None
    layout: Layout | None = None  # of the lines that come next
    assumed: FlowFormat | None = None
    position: int = 0  # of the next line
    fitted: bool = False  # some record of some block was stored
    bad: list[BadRecord] = field(default_factory=list)
    set_apart: int = 0
    trouble: UnreadableFileError | None = None

    def begin(self, text: bytes) -> Piece | None:
        """The records of a text, or of a block of one, ready to be read; None when there are none."""
        self.bad, self.set_apart = [], 0
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self.layout is not None:
            return Piece(self, text) if text else None
        line, start, end = first_line(text)
        self.layout = flow_format.header(line)
        if self.layout:
            start = end
            reason = self.layout.trouble
        elif flow_format.is_gateway_record(line):
            self.layout, reason = _GATEWAY, None
        else:
            self.assumed = flow_format.assumed(line, self.given)
            self.layout = Layout(self.assumed.fields) if self.assumed else None
            reason = None if self.layout else _unknown_format(line)
        if reason:
            self.trouble = UnreadableFileError(reason)
            return None
        return Piece(self, text, start) if start < len(text) else None

    def books(self, stored: int) -> FlowLogBooks | UnreadableFileError:
        """What became of the records that were read since `begin`."""
        self.fitted = self.fitted or stored > 0
        self.bad.sort(key=lambda bad: bad.position)
        if self.assumed and self.bad and not self.fitted and not self.set_apart:
            whose = "format given" if self.assumed is self.given else "default format"
            self.trouble = UnreadableFileError(
                f"no line fits the flow {whose}, {str(self.assumed)!r}; the first has {self.bad[0].reason}"
            )
        if self.trouble:
            return self.trouble
        seen = stored + len(self.bad) + self.set_apart
        return FlowLogBooks(stored, seen, self.bad, self.set_apart, str(self.assumed) if self.assumed else None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of one text: all from *start* on. They are copied once, when they are joined to others."""

    reading: Reading
    text: bytes
    start: int = 0

    @property
    def size(self) -> int:
        return len(self.text) - self.start

    @property
    def lines(self) -> int:
        ends = int(np.count_nonzero(np.frombuffer(self.text, np.uint8, offset=self.start) == _LINE_END))
        return ends if self.text.endswith(b"\n") else ends + 1

    def halves(self) -> tuple[Piece, Piece] | None:
        """Cut at the end of a line; None, when it is one line, or its last is long."""
        cut = self.text.find(b"\n", self.start + self.size // 2) + 1
        if not 0 < cut < len(self.text):
            return None
        return Piece(self.reading, self.text[self.start : cut]), Piece(self.reading, self.text, cut)


class Harvest:
    """Records read, and odd ones made ready to be read."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._texts: list[Any] = []  # for each table, the number of the text of each row
        self._odd: dict[Layout, list[_OddLine]] = {}

    def add(self, fields: pa.Table, text_of_row: Any) -> None:
        if fields.num_rows:
            self._tables.append(columns(fields))
            self._texts.append(text_of_row)

    def add_odd(self, line: _OddLine, layout: Layout) -> None:
        self._odd.setdefault(layout, []).append(line)

    def bring_in(self) -> tuple[pa.Table, Any]:
        """All rows, and the number of the text of each."""
        for layout, lines in self._odd.items():
            self._read_odd(lines, layout)
        if not self._tables:
            return pa.table({}), np.zeros(0, np.int32)
        rows = pa.concat_tables(self._tables, promote_options="default")
        return rows.combine_chunks() if len(self._tables) > 1 else rows, np.concatenate(self._texts)

    def _read_odd(self, lines: list[_OddLine], layout: Layout) -> None:
        fields = flow_lines.read(flow_lines.written([line.values for line in lines], layout), layout)
        if fields is not None and fields.num_rows == len(lines):
            self.add(fields, np.array([line.reading.number for line in lines], np.int32))
        elif len(lines) == 1:
            lines[0].reading.bad.append(BadRecord(lines[0].position, "cannot be read", lines[0].text))
        else:
            self._read_odd(lines[: len(lines) // 2], layout)
            self._read_odd(lines[len(lines) // 2 :], layout)


class _OddLine(NamedTuple):
    """A line that had to be looked at by itself, and holds a record."""

    reading: Reading
    position: int
    values: list[bytes]
    text: bytes


def layout_of(piece: Piece) -> tuple[bool, tuple[str, ...]]:
    assert piece.reading.layout is not None
    return piece.reading.layout.has_commas, piece.reading.layout.fields


def read(pieces: list[Piece], harvest: Harvest) -> None:
    """Pieces of as many texts and of one layout: at once if that is possible, else in halves down to the odd line."""
    layout = pieces[0].reading.layout
    assert layout is not None
    if not (layout.is_transit_gateway or layout.trouble):
        counts = [piece.lines for piece in pieces]
        text = _joined(pieces)
        fields = None if flow_lines.is_odd(text, layout) else flow_lines.read(text, layout)
        if fields is not None and len(pieces) == 1:
            counts = [fields.num_rows]  # blank lines are no harm to one text alone
        if fields is not None and fields.num_rows == sum(counts):
            for piece, count in zip(pieces, counts, strict=True):
                piece.reading.position += count
            numbers = np.array([piece.reading.number for piece in pieces], np.int32)
            harvest.add(fields, np.repeat(numbers, counts))
            return
    if sum(piece.size for piece in pieces) <= LOOKED_AT_BY_LINE:
        for piece in pieces:
            _sift(piece, harvest)
    elif len(pieces) > 1:
        read(pieces[: len(pieces) // 2], harvest)
        read(pieces[len(pieces) // 2 :], harvest)
    elif halves := pieces[0].halves():
        for half in halves:  # the second may have another layout, if there is a header in the first
            read([half], harvest)
    else:
        _sift(pieces[0], harvest)


def _sift(piece: Piece, harvest: Harvest) -> None:
    """Line by line."""
    reading = piece.reading
    layout = reading.layout
    assert layout is not None
    for line in piece.text[piece.start :].split(b"\n"):
        if flow_lines.is_blank(line):
            continue
        position, reading.position = reading.position, reading.position + 1
        if found := flow_lines.header(line):
            layout = reading.layout = found
        elif layout.is_transit_gateway:
            reading.set_apart += 1
        elif layout.trouble:
            reading.bad.append(BadRecord(position, layout.trouble, line))
        elif isinstance(values := flow_lines.settled(flow_lines.values_of(line, layout), layout), str):
            reading.bad.append(BadRecord(position, values, line))
        else:
            harvest.add_odd(_OddLine(reading, position, values, line), layout)


def _joined(pieces: Sequence[Piece]) -> bytes:
    if len(pieces) == 1:
        return pieces[0].text[pieces[0].start :]
    parts: list[bytes | memoryview] = []
    for piece in pieces:
        parts.append(memoryview(piece.text)[piece.start :])
        if not piece.text.endswith(b"\n"):
            parts.append(b"\n")
    return b"".join(parts)


def first_line(text: bytes) -> tuple[bytes, int, int]:
    """The first line that is not blank, without white space around it; where it starts, and where the next does."""
    start = 0 if text[:1].strip() else len(text) - len(text.lstrip())
    end = text.find(b"\n", start) + 1 or len(text)
    return text[start:end].strip(), start, end


def _unknown_format(line: bytes) -> str:
    if flow_format.looks_like_a_record(line):
        return (
            f"a flow log without a header, in a format of {len(line.split())} fields that is not AWS's default: "
            f"name the fields in their order, for example --flow-format {EXAMPLE!r}"
        )
    return "neither a flow-log header nor records in the default format"
