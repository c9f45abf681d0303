"""VPC Flow Logs as Parquet: as AWS delivers them, or as somebody's job has converted them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from auditkit.errors import UnreadableFileError
from auditkit.logs import arrays, flow_lines
from auditkit.logs.flow_columns import as_text, columns
from auditkit.logs.flow_format import COLUMNS, LAST_SECOND, TIMES, TYPES, Layout, are_flow_fields, field_name
from auditkit.logs.flowlogs import FlowLog
from auditkit.logs.parsed import BadRecord, NotALogError, Parsed

MAGIC = (b"PAR1", b"PARE")  # plain, encrypted
ROWS = 1 << 17  # of one chunk: a row group of any size is read in pieces
_BUFFER = 1 << 20  # bytes of a column that are read ahead, or a whole row group would be in memory
_NO_NUMBER = frozenset({"", "-", "None", "null", "NULL", "nan", "NaN"})  # what programs write for none into text
_ACCOUNT_DIGITS = 12


def parse_parquet(data: bytes | Path | BinaryIO) -> FlowLog:
    """The records of one file. See `parquet_chunks`."""
    chunks = list(parquet_chunks(data))
    rows = pa.concat_tables([pa.table({}), *(chunk.rows for chunk in chunks)], promote_options="default")
    return FlowLog(
        Parsed(
            rows,
            sum(chunk.seen for chunk in chunks),
            [bad for chunk in chunks for bad in chunk.bad],
            sum(chunk.set_apart for chunk in chunks),
        )
    )


def parquet_chunks(data: bytes | Path | BinaryIO) -> Iterator[Parsed[pa.Table]]:
    """The records of a file of any size, some 100,000 at a time.

    Columns are found by name, with hyphens or underscores; numbers and times may be of any type that holds them, text
    included, and nothing is NULL or `-`. A row with something else where a number belongs is a BadRecord; positions
    count rows. Transit Gateway records are set apart.
    Raises: NotALogError, for a table that is no flow log; UnreadableFileError, for damaged or encrypted Parquet, a flow
    log without times, a column that cannot hold its field, or no row that can be read.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(data) if isinstance(data, bytes) else data, buffer_size=_BUFFER) as file:
            layout = _layout(file.schema_arrow)
            if layout.is_transit_gateway:
                yield Parsed(pa.table({}), seen=file.metadata.num_rows, set_apart=file.metadata.num_rows)
                return
            position = 0
            for batch in file.iter_batches(ROWS, use_threads=False):
                chunk = _parsed(batch, layout, position)
                if position == 0 and 0 < chunk.seen == len(chunk.bad):  # the table is at fault, not its rows
                    raise UnreadableFileError(f"no row can be read; the first has {chunk.bad[0].reason}")
                yield chunk
                position += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise UnreadableFileError(f"cannot be opened: {error.strerror}") from error
        said = str(error).partition("\n")[0]
        what = "encrypted" if "crypt" in said else "damaged"
        raise UnreadableFileError(f"{what} Parquet: {said}") from error


def _layout(schema: pa.Schema) -> Layout:
    layout = Layout(tuple(map(field_name, schema.names)))
    known = set(layout.fields)
    if not are_flow_fields(layout.fields, 4) or (TIMES.keys() & known == set() and "start-time" in known):
        raise NotALogError(f"a Parquet file that is no flow log: its columns are {', '.join(schema.names)[:500]}")
    if layout.trouble:
        raise UnreadableFileError(f"{layout.trouble}; its columns are {', '.join(schema.names)[:500]}")
    for field, column in zip(layout.fields, schema, strict=True):
        if field in COLUMNS and not layout.is_transit_gateway and pa.types.is_nested(column.type):
            raise UnreadableFileError(f"the column {column.name!r} is a {column.type}, not a text or a number")
    return layout


def _parsed(batch: pa.RecordBatch, layout: Layout, first: int) -> Parsed[pa.Table]:
    logged = {field: _checked(column) for field, column in zip(layout.fields, batch.columns, strict=True)}
    fields: dict[str, pa.Array] = {}
    odd: dict[str, Any] = {}  # by field a mask of the rows that it cannot hold
    for field, column in logged.items():
        read = _text if TYPES.get(field, pa.string()) == pa.string() else _number
        fields[field], odd[field] = read(column, field)
    bad_rows = np.logical_or.reduce(list(odd.values()))
    bad = []
    for row in np.flatnonzero(bad_rows).tolist():
        record = {field: column[row].as_py() for field, column in logged.items()}
        wrong = [f"{field} is {str(record[field])[:20]!r}" for field, mask in odd.items() if mask[row]]
        text = json.dumps(record, default=as_text).encode()
        bad.append(BadRecord(first + row, f"not a value that fits: {', '.join(wrong)}", text))
    table = pa.table(fields)
    table = table.filter(arrays.mask(~bad_rows)) if bad else table
    return Parsed(columns(table), seen=batch.num_rows, bad=bad)


def _checked(column: pa.Array) -> pa.Array:
    """The values themselves; as bytes, if what the file calls text is not UTF-8."""
    values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return values.cast(pa.large_binary() if pa.types.is_large_string(values.type) else pa.binary())
    return values


def _text(column: pa.Array, field: str) -> tuple[pa.Array, Any]:
    """As text, `-` as NULL; what is neither text nor a field of auditkit stays as it is."""
    none_odd = np.zeros(len(column), bool)
    if _is_text(column.type):
        try:
            text = column.cast(pa.string())
        except pa.ArrowInvalid:  # bytes that are not UTF-8
            return _one_by_one(column, bytes.decode, pa.string())
        return _without(text, ("-", "")), none_odd
    if field not in TYPES:
        return column, none_odd
    if pa.types.is_floating(column.type):  # integers that had NULLs among them, in pandas
        column = _without_nan(column)
        column = column.cast(pa.int64()) if pc.all(pc.equal(column, pc.floor(column))).as_py() is not False else column
    text = column.cast(pa.string())
    # As a number an account id has lost its first zeros.
    return (pc.utf8_lpad(text, _ACCOUNT_DIGITS, "0") if field == "account-id" else text), none_odd


def _number(column: pa.Array, field: str) -> tuple[pa.Array, Any]:
    """As the number that *field* is, and which rows hold none that fits."""
    kind = TYPES[field]
    try:
        numbers, odd = _cast(column, kind), np.zeros(len(column), bool)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        numbers, odd = _one_by_one(column, lambda value: _as_number(value, field), kind)
    if field in TIMES:
        known = arrays.as_mask(pc.is_valid(numbers))
        seconds = arrays.as_integers(pc.fill_null(numbers, _whole_number("0")))
        odd = odd | ~known | (seconds < 0) | (seconds > LAST_SECOND)
    return numbers, odd


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Raises: pa.ArrowInvalid, pa.ArrowNotImplementedError."""
    if pa.types.is_timestamp(column.type):
        return pc.divide(column.cast(pa.int64()), _seconds(column.type))
    if _is_text(column.type):
        return _without(column.cast(pa.string()), _NO_NUMBER).cast(kind)
    return (_without_nan(column) if pa.types.is_floating(column.type) else column).cast(kind)


def _seconds(kind: pa.TimestampType) -> pa.Scalar:
    """How many units of a timestamp are a second."""
    return _whole_number({"s": "1", "ms": "1000", "us": "1000000", "ns": "1000000000"}[kind.unit])


def _whole_number(text: str) -> pa.Scalar:
    """For pyarrow's functions: they import pandas to convert a plain one."""
    return arrays.texts([text]).cast(pa.int64())[0]


def _without(text: pa.Array, words: Collection[str]) -> pa.Array:
    return pc.if_else(pc.is_in(text, value_set=arrays.texts(sorted(words))), pa.nulls(len(text), pa.string()), text)


def _without_nan(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_nan(column), pa.nulls(len(column), column.type), column)


def _as_number(value: Any, field: str) -> str | None:
    """Raises: ValueError, when the column cannot hold it."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value != value or str(value) in _NO_NUMBER:
        return None
    number = flow_lines.number_of(str(value).encode(), field)
    if number is None:
        raise ValueError(value)
    return number.decode()


def _one_by_one(column: pa.Array, convert: Callable[[Any], str | None], kind: pa.DataType) -> tuple[pa.Array, Any]:
    """Each value converted; NULL, and True in the mask, where *convert* raises ValueError."""
    converted: list[str | None] = []
    odd = np.zeros(len(column), bool)
    for row, value in enumerate(column.to_pylist()):
        try:
            converted.append(None if value is None else convert(value))
        except ValueError:
            converted.append(None)
            odd[row] = True
    return arrays.texts(converted).cast(kind), odd


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (
            *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
            *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary),
        )
    )
