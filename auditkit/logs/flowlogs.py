"""VPC Flow Logs as text to rows of `flow_records`: by header where there is one, else in AWS's default order."""

from __future__ import annotations

import io
import json
import re

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from auditkit.errors import UnreadableFileError
from auditkit.logs import arrays
from auditkit.logs.parsed import BadRecord, NotALogError, Parsed
from auditkit.schema import FLOW_RECORDS

DEFAULT_FORMAT = [
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status",
]  # fmt: skip

_SCHEMA = FLOW_RECORDS.file_arrow
# `start` and `end` become timestamps; every other column has the AWS name with underscores for hyphens.
_FIELDS = {
    column.origin: column.name
    for column in FLOW_RECORDS.columns
    if column.origin not in ("the file", "all other fields")
}
_FIELD_TYPES = {
    field: pa.int64() if field in ("start", "end") else _SCHEMA.field(name).type
    for field, name in _FIELDS.items()
    if name != "event_date"
} | {"start": pa.int64(), "end": pa.int64()}
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_HEADER_WORD = re.compile(r"[a-z][a-z0-9-]*")
_DEFAULT_LINE = re.compile(rb"\d+ \S+ \S+( \S+){10} (OK|NODATA|SKIPDATA)\s*")


def is_flow_log(text: bytes) -> bool:
    """Whether the first line is a header of flow-log fields, or a record in the default format."""
    first = _first_line(text)
    return _is_header(first.decode().split()) or _DEFAULT_LINE.fullmatch(first) is not None


def parse(text: bytes) -> Parsed[pa.Table]:
    """The records of one file, in the columns of the store but `log_file`.

    A line with too many or too few fields, or with text where a number belongs, is a BadRecord; positions count lines
    behind the header.
    Raises: NotALogError, for Transit Gateway flow logs; UnreadableFileError, when no line tells the fields.
    """
    header = _first_line(text).decode().split()
    if "tgw-id" in header:
        raise NotALogError("a Transit Gateway flow log: it has no action, so it cannot show a reject")
    if _is_header(header):
        text = text[text.index(b"\n") + 1 :] if b"\n" in text else b""
    elif _DEFAULT_LINE.fullmatch(_first_line(text)):
        header = DEFAULT_FORMAT
    else:
        raise UnreadableFileError("neither a flow-log header nor records in the default format")
    if not {"start", "end"} <= set(header):
        raise UnreadableFileError("a flow log without the fields start and end: its records have no time")
    fields, bad = _fields(text, header)
    return Parsed(_columns(fields), seen=fields.num_rows + len(bad), bad=bad)


def _fields(text: bytes, header: list[str]) -> tuple[pa.Table, list[BadRecord]]:
    """The fields as logged, typed, and the lines that do not fit."""
    try:
        fields = _read(text, header)
        if _times_make_sense(fields):
            return fields, []
    except pa.ArrowInvalid:
        pass
    good, bad = _sift(text.splitlines(), header)  # some line is odd: find it, and read the others
    return _read(b"\n".join(good), header), bad


def _read(text: bytes, header: list[str]) -> pa.Table:
    """Raises: pa.ArrowInvalid, when a line has more or fewer fields, or text where a number belongs."""
    types = {field: _FIELD_TYPES.get(field, pa.string()) for field in header}
    if not text.strip():
        return pa.schema(types).empty_table()
    return csv.read_csv(
        io.BytesIO(text),
        csv.ReadOptions(column_names=header, use_threads=False, block_size=max(1 << 20, len(text) + 1)),
        csv.ParseOptions(delimiter=" ", quote_char=False),
        csv.ConvertOptions(column_types=types, null_values=["-"], strings_can_be_null=True),
    )


def _times_make_sense(fields: pa.Table) -> bool:
    return all(
        fields[field].null_count == 0
        and (
            fields.num_rows == 0
            or (pc.min(fields[field]).as_py() >= 0 and pc.max(fields[field]).as_py() <= _LAST_SECOND)
        )
        for field in ("start", "end")
    )


def _sift(lines: list[bytes], header: list[str]) -> tuple[list[bytes], list[BadRecord]]:
    """The lines that can be read, one space between fields, and the others with their reasons."""
    numbers = [
        (at, field) for at, field in enumerate(header) if pa.types.is_integer(_FIELD_TYPES.get(field, pa.string()))
    ]
    good: list[bytes] = []
    bad: list[BadRecord] = []
    for position, line in enumerate(line for line in lines if line.strip()):
        values = line.decode().split()
        if values == header:  # files joined end to end repeat their header: no record
            continue
        if len(values) != len(header):
            bad.append(BadRecord(position, f"{len(values)} fields where the header has {len(header)}", line))
        elif wrong := [f"{field} is {values[at][:20]!r}" for at, field in numbers if not _is_number(values[at], field)]:
            bad.append(BadRecord(position, f"not a number that fits: {', '.join(wrong)}", line))
        else:
            good.append(" ".join(values).encode())
    return good, bad


def _is_number(text: str, field: str) -> bool:
    if field in ("start", "end"):
        return re.fullmatch(r"\d{1,12}", text) is not None and int(text) <= _LAST_SECOND
    width = _FIELD_TYPES[field].bit_width
    return text == "-" or (
        re.fullmatch(r"-?\d{1,19}", text) is not None and -(1 << width - 1) <= int(text) < 1 << width - 1
    )


def _columns(fields: pa.Table) -> pa.Table:
    """Logged fields as the store's columns; those it does not know as JSON in `extra`."""
    columns = {_FIELDS[field]: fields[field] for field in fields.column_names if field in _FIELDS}
    for name, field in (("start_time", "start"), ("end_time", "end")):
        columns[name] = fields[field].cast(pa.timestamp("s")).cast(pa.timestamp("us"))
    unknown = [field for field in fields.column_names if field not in _FIELDS]
    if unknown:
        columns["extra"] = arrays.texts([_as_json(values) for values in fields.select(unknown).to_pylist()])
    names = [name for name in _SCHEMA.names if name != "log_file"]
    return pa.table(
        [columns[name] if name in columns else pa.nulls(fields.num_rows, _SCHEMA.field(name).type) for name in names],
        schema=pa.schema([_SCHEMA.field(name) for name in names]),
    )


def _as_json(values: dict[str, str | None]) -> str | None:
    logged = {field: value for field, value in values.items() if value is not None}
    return json.dumps(logged) if logged else None


def _first_line(text: bytes) -> bytes:
    return text[: text.find(b"\n")].rstrip() if b"\n" in text else text.rstrip()


def _is_header(words: list[str]) -> bool:
    return len(words) > 1 and all(map(_HEADER_WORD.fullmatch, words)) and len(set(words) & {*_FIELDS, "tgw-id"}) > 1
