"""VPC Flow Logs as text to rows of `flow_records`: by header, by the format its user gave, or in AWS's default one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from auditkit.errors import UnreadableFileError
from auditkit.logs import flow_format, flow_lines
from auditkit.logs.flow_columns import columns, whole
from auditkit.logs.flow_format import EXAMPLE, FlowFormat, Layout
from auditkit.logs.parsed import BadRecord, Parsed

_LOOKED_AT_BY_LINE = 32 << 10  # bytes around an odd line that are worth no further attempt to read them at once
_LONGEST_LINE = 1 << 20  # bytes; all 54 fields take about 1,000
_LINE_END = ord("\n")
_GATEWAY = Layout(("resource-type",))  # of Transit Gateway records without a header: they are counted, not read


@dataclass(frozen=True, slots=True)
class FlowLog:
    """One flow log, or one block of it. *flow_format* is the fields that were assumed, if it has no header."""

    parsed: Parsed[pa.Table]
    flow_format: str | None = None


@dataclass(frozen=True, slots=True)
class FlowLogBooks:
    """A FlowLog without its rows, which are among those of its batch."""

    stored: int
    seen: int
    bad: list[BadRecord]
    set_apart: int
    flow_format: str | None


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Many flow logs, read together.

    The rows are in no order, have the columns that some text has fields for (`flow_columns.whole` adds the others), and
    *text_of_row* (NumPy, 32 bits) has for each the number of the text it is from. Of each text there are the books, or
    why it cannot be read.
    """

    rows: pa.Table
    text_of_row: Any
    books: list[FlowLogBooks | UnreadableFileError]


def is_flow_log(text: bytes, given: FlowFormat | None = None) -> bool:
    """Whether the first line is a header of flow-log fields, or a record: of AWS's default or of any other format.

    The last is read only if the user has *given* the format.
    """
    line = _first_line(text[:_LOOKED_AT_BY_LINE].replace(b"\r", b"\n"))[0]
    return (
        flow_format.header(line) is not None
        or flow_format.assumed(line, given) is not None
        or flow_format.is_gateway_record(line)
        or flow_format.looks_like_a_record(line)
    )


def parse(texts: Sequence[bytes], given: FlowFormat | None = None) -> FlowBatch:
    """The records of many flow logs: a CSV reader's first line costs more than its next thousand, so they share it.

    A header wins over *given*, the format of logs without one, and that over AWS's default. See FlowReader for what is
    a bad record; one text's trouble is its own.
    """
    readings = [_Reading(number, given) for number in range(len(texts))]
    harvest = _Harvest()
    pieces = [piece for reading, text in zip(readings, texts, strict=True) if (piece := reading.begin(text))]
    pieces.sort(key=_layout_of)
    for _, alike in groupby(pieces, key=_layout_of):
        _read(list(alike), harvest)
    rows, text_of_row = harvest.bring_in()
    stored = np.bincount(text_of_row, minlength=len(texts)).tolist() if texts else []
    return FlowBatch(rows, text_of_row, [reading.books(count) for reading, count in zip(readings, stored, strict=True)])


class FlowReader:
    """A flow log that comes in blocks, each cut at the end of a line: the header of the first holds for the others."""

    def __init__(self, given: FlowFormat | None = None) -> None:
        self._reading = _Reading(0, given)

    def parse(self, block: bytes) -> FlowLog:
        """The records of the next block.

        A line with too many or too few fields, or with text where a number belongs, is a BadRecord; positions count
        lines behind the header, blank ones left out, and go on counting from block to block. Transit Gateway records
        have no action, so cannot show a reject: they are set apart.
        Raises: UnreadableFileError, when no line tells the fields, the fields have no times, or no line has the fields
        that *given* or the default format names.
        """
        harvest = _Harvest()
        if piece := self._reading.begin(block):
            _read([piece], harvest)
        rows, _ = harvest.bring_in()
        books = self._reading.books(rows.num_rows)
        if isinstance(books, UnreadableFileError):
            raise books
        return FlowLog(Parsed(whole(rows), books.seen, books.bad, books.set_apart), books.flow_format)


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text, cut at the ends of lines. Raises: UnreadableFileError, for a line that is longer than any."""
    left = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield left + block[:end] if left else block[:end]
            left = block[end:]
        else:
            left += block
        if len(left) > _LONGEST_LINE:
            raise UnreadableFileError(f"a line of more than {_LONGEST_LINE:,} bytes")
    if left:
        yield left


@dataclass(slots=True)
class _Reading:
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

    def begin(self, text: bytes) -> _Piece | None:
        """The records of a text, or of a block of one, ready to be read; None when there are none."""
        self.bad, self.set_apart = [], 0
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self.layout is not None:
            return _Piece(self, text) if text else None
        line, start, end = _first_line(text)
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
        return _Piece(self, text, start) if start < len(text) else None

    def books(self, stored: int) -> FlowLogBooks | UnreadableFileError:
        """What became of the records that were read since `begin`."""
        self.fitted = self.fitted or stored > 0
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
class _Piece:
    """Some lines of one text: all from *start* on. They are copied once, when they are joined to others."""

    reading: _Reading
    text: bytes
    start: int = 0

    @property
    def size(self) -> int:
        return len(self.text) - self.start

    @property
    def lines(self) -> int:
        ends = int(np.count_nonzero(np.frombuffer(self.text, np.uint8, offset=self.start) == _LINE_END))
        return ends if self.text.endswith(b"\n") else ends + 1

    def halves(self) -> tuple[_Piece, _Piece] | None:
        """Cut at the end of a line; None, when it is one line, or its last is long."""
        cut = self.text.find(b"\n", self.start + self.size // 2) + 1
        if not 0 < cut < len(self.text):
            return None
        return _Piece(self.reading, self.text[self.start : cut]), _Piece(self.reading, self.text, cut)


class _Harvest:
    """Records read, and odd ones made ready to be read."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._texts: list[Any] = []  # for each table, the number of the text of each row
        self._odd: dict[Layout, tuple[list[list[bytes]], list[int]]] = {}

    def add(self, fields: pa.Table, text_of_row: Any) -> None:
        if fields.num_rows:
            self._tables.append(columns(fields))
            self._texts.append(text_of_row)

    def add_odd(self, values: list[bytes], layout: Layout, number: int) -> None:
        records, texts = self._odd.setdefault(layout, ([], []))
        records.append(values)
        texts.append(number)

    def bring_in(self) -> tuple[pa.Table, Any]:
        """All rows, and the number of the text of each."""
        for layout, (records, texts) in self._odd.items():
            fields = flow_lines.read(flow_lines.written(records, layout), layout)
            if fields is None:
                raise AssertionError(f"records found to be sound cannot be read: {records[:3]}")
            self.add(fields, np.array(texts, np.int32))
        if not self._tables:
            return whole(pa.table({})), np.zeros(0, np.int32)
        rows = pa.concat_tables(self._tables, promote_options="default")
        return rows.combine_chunks() if len(self._tables) > 1 else rows, np.concatenate(self._texts)


def _layout_of(piece: _Piece) -> tuple[bool, tuple[str, ...]]:
    assert piece.reading.layout is not None
    return piece.reading.layout.has_commas, piece.reading.layout.fields


def _read(pieces: list[_Piece], harvest: _Harvest) -> None:
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
    if sum(piece.size for piece in pieces) <= _LOOKED_AT_BY_LINE:
        for piece in pieces:
            _sift(piece, harvest)
    elif len(pieces) > 1:
        _read(pieces[: len(pieces) // 2], harvest)
        _read(pieces[len(pieces) // 2 :], harvest)
    elif halves := pieces[0].halves():
        for half in halves:  # the second may have another layout, if there is a header in the first
            _read([half], harvest)
    else:
        _sift(pieces[0], harvest)


def _sift(piece: _Piece, harvest: _Harvest) -> None:
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
            harvest.add_odd(values, layout, reading.number)


def _joined(pieces: Sequence[_Piece]) -> bytes:
    if len(pieces) == 1:
        return pieces[0].text[pieces[0].start :]
    parts: list[bytes | memoryview] = []
    for piece in pieces:
        parts.append(memoryview(piece.text)[piece.start :])
        if not piece.text.endswith(b"\n"):
            parts.append(b"\n")
    return b"".join(parts)


def _first_line(text: bytes) -> tuple[bytes, int, int]:
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
