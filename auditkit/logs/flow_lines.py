"""Lines of flow logs to typed fields: many at a time, or one by one where a line is odd."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
from pyarrow import csv

from auditkit.logs import flow_format
from auditkit.logs.flow_columns import has_empty_texts, times_make_sense
from auditkit.logs.flow_format import LAST_SECOND, TIMES, TYPES, Layout

_NO_VALUE = {False: ("-",), True: ("", "-")}  # by whether there are commas
_HEADER_STARTS = frozenset(b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"$')

_DIGITS = {  # of each number, how many surely fit
    field: 11 if field in TIMES else 9 if kind == pa.int32() else 18
    for field, kind in TYPES.items()
    if pa.types.is_integer(kind)
}
_HEXADECIMAL = re.compile(rb"""(?m)(?:^|[ ,"])-?0[xX]""")
_WHOLE = re.compile(rb"-?\d{1,19}")


def read(text: bytes, layout: Layout) -> pa.Table | None:
    """The records of *text*, which has no header; None when some line does not fit and a closer look is needed.

    Blank lines are no records. The text is UTF-8: whoever inflated it has looked.
    """
    try:
        fields = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(
                column_names=layout.fields,
                use_threads=False,
                block_size=min(max(1 << 20, len(text) + 1), (1 << 31) - 1),
            ),
            csv.ParseOptions(
                delimiter="," if layout.has_commas else " ", quote_char='"' if layout.has_commas else False
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types={field: TYPES.get(field, pa.string()) for field in layout.fields},
                null_values=_NO_VALUE[layout.has_commas],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    # A field that two spaces left empty is one that is missing elsewhere.
    return fields if times_make_sense(fields) and not has_empty_texts(fields) else None


def is_odd(text: bytes, layout: Layout) -> bool:
    """Whether there is white space that `read` would take for a part of a value, or a number that it would believe."""
    if (b"x" in text or b"X" in text) and _HEXADECIMAL.search(text):
        return True
    return b", " in text or b" ," in text if layout.has_commas else b"\t" in text


def values_of(line: bytes, layout: Layout) -> list[bytes]:
    return [cell.encode() for cell in flow_format.cells(line)] if layout.has_commas else line.split()


def settled(values: list[bytes], layout: Layout) -> str | list[bytes]:
    """The values of one record, ready to be written as a line again; or the reason why there is none."""
    if len(values) != len(layout.fields):
        return f"{len(values)} fields where the format has {len(layout.fields)}"
    wrong = []
    for at, (field, value) in enumerate(zip(layout.fields, values, strict=True)):
        if field in _DIGITS and not (value.isdigit() and len(value) <= _DIGITS[field]):
            number = number_of(value, field)
            if number is None:
                wrong.append(f"{field} is {value[:20].decode(errors='replace')!r}")
            else:
                values[at] = number
    return f"not a number that fits: {', '.join(wrong)}" if wrong else values


def written(records: Sequence[list[bytes]], layout: Layout) -> bytes:
    """Records as text that `read` takes."""
    if not layout.has_commas:
        return b"\n".join(map(b" ".join, records))
    return b"\n".join(b",".join(b'"' + value.replace(b'"', b'""') + b'"' for value in values) for values in records)


def is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def header(line: bytes) -> Layout | None:
    """The layout that a line among records announces: files joined end to end bring their headers along."""
    return flow_format.header(line) if line[0] in _HEADER_STARTS else None


def number_of(value: bytes, field: str) -> bytes | None:
    """The number, `-` for none; None when the column cannot hold it."""
    if field in TIMES:
        second = _second(value)
        return None if second is None or not 0 <= second <= LAST_SECOND else b"%d" % second
    if value in (b"-", b""):
        return b"-"
    width = TYPES[field].bit_width
    fits = _WHOLE.fullmatch(value) is not None and -(1 << width - 1) <= int(value) < 1 << width - 1
    return value if fits else None


def _second(value: bytes) -> int | None:
    """Seconds since 1970, of a number or an ISO time; without a zone it is UTC."""
    if value.isdigit():
        return int(value) if len(value) < 20 else None
    try:
        time = datetime.fromisoformat(value.decode().removesuffix(" UTC"))  # as Athena writes it
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
