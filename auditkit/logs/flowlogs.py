"""VPC Flow Logs as text to rows of `flow_records`: by header, by the format its user gave, or in AWS's default one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from auditkit.errors import UnreadableFileError
from auditkit.logs import flow_format
from auditkit.logs.flow_format import FlowFormat
from auditkit.logs.flow_reading import LOOKED_AT_BY_LINE, FlowLogBooks, Harvest, Reading, first_line, layout_of, read
from auditkit.logs.parsed import Parsed

_LONGEST_LINE = 1 << 20  # bytes; all 54 fields take about 1,000


@dataclass(frozen=True, slots=True)
class FlowLog:
    """One flow log, or one block of it. *flow_format* is the fields that were assumed, if it has no header.

    The rows have the columns that it has fields for: `flow_columns.whole` adds the others, best when all else is done.
    """

    parsed: Parsed[pa.Table]
    flow_format: str | None = None


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Many flow logs, read together.

    The rows are in no order and have the columns that some text has fields for. *text_of_row* (NumPy, 32 bits) has for
    each the number of the text it is from. Of each text there are the books, or why it cannot be read.
    """

    rows: pa.Table
    text_of_row: Any
    books: list[FlowLogBooks | UnreadableFileError]


def is_flow_log(text: bytes, given: FlowFormat | None = None) -> bool:
    """Whether the first line is a header of flow-log fields, or a record: of AWS's default or of any other format.

    The last is read only if the user has *given* the format.
    """
    line = first_line(text[:LOOKED_AT_BY_LINE].replace(b"\r", b"\n"))[0]
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
    readings = [Reading(number, given) for number in range(len(texts))]
    harvest = Harvest()
    pieces = [piece for reading, text in zip(readings, texts, strict=True) if (piece := reading.begin(text))]
    pieces.sort(key=layout_of)
    for _, alike in groupby(pieces, key=layout_of):
        read(list(alike), harvest)
    rows, text_of_row = harvest.bring_in()
    stored = np.bincount(text_of_row, minlength=len(texts)).tolist() if texts else []
    return FlowBatch(rows, text_of_row, [reading.books(count) for reading, count in zip(readings, stored, strict=True)])


class FlowReader:
    """A flow log that comes in blocks, each cut at the end of a line: the header of the first holds for the others."""

    def __init__(self, given: FlowFormat | None = None) -> None:
        self._reading = Reading(0, given)

    def parse(self, block: bytes) -> FlowLog:
        """The records of the next block.

        A line with too many or too few fields, or with text where a number belongs, is a BadRecord; positions count
        lines behind the header, blank ones left out, and go on counting from block to block. Transit Gateway records
        have no action, so cannot show a reject: they are set apart.
        Raises: UnreadableFileError, when no line tells the fields, the fields have no times, or no line has the fields
        that *given* or the default format names.
        """
        harvest = Harvest()
        if piece := self._reading.begin(block):
            read([piece], harvest)
        rows, _ = harvest.bring_in()
        books = self._reading.books(rows.num_rows)
        if isinstance(books, UnreadableFileError):
            raise books
        return FlowLog(Parsed(rows, books.seen, books.bad, books.set_apart), books.flow_format)


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
