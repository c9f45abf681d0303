"""Athena's answers, which are text in a CSV file or in pages of a thousand rows, as Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.csv as csv
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.converter import Converter
from pyathena.cursor import Cursor
from pyathena.util import parse_output_location
from sqlglot import exp

from auditkit.engines.athena.lists import Output, sent_name, untold
from auditkit.engines.remote import arrow_type
from auditkit.errors import QueryError

PAGE = 1000  # rows of a request: the most Athena gives. The first row of the first page is the header.
_LONGEST_ROW = 64 << 20  # a row of Athena has 32 MB at most
_TEXTS = {"varchar", "char", "string", "json", "unknown"}


class AsText(Converter):
    """Keeps what Athena sent: text, or None for NULL."""

    def __init__(self) -> None:
        super().__init__({})

    def convert(self, type_: str, value: str | None, type_hint: str | None = None) -> str | None:
        return value


def answer(cursor: Cursor, outputs: Sequence[Output]) -> pa.Table:
    """The rows of *cursor*, whose converter is AsText, in order, under the names and in the types of *outputs*.

    More than a page comes from the CSV file in S3: by page, 200,000 rows take a minute. Without a file, or without
    permission to read it, the pages have to do.
    Raises: QueryError, for a column that is of no plain type; what the cursor raises.
    """
    described = cursor.description or []
    places = _places([str(column[0]).lower() for column in described], outputs)
    kinds = [_kind(described[place], output) for place, output in zip(places, outputs, strict=True)]
    rows = cast(list[tuple[str | None, ...]], cursor.fetchmany(PAGE - 1))
    columns = _from_file(cursor, len(outputs)) if len(rows) == PAGE - 1 else None
    if columns is None:
        rows += cast(list[tuple[str | None, ...]], cursor.fetchall()) if len(rows) == PAGE - 1 else []
        turned = list(zip(*rows, strict=True)) or [()] * len(outputs)
        columns = [pa.array(texts, pa.string()) for texts in turned]
    arrays = [_typed(output, columns[place], kind) for output, place, kind in zip(outputs, places, kinds, strict=True)]
    return pa.Table.from_arrays(arrays, names=[output.name for output in outputs])


def _places(names: Sequence[str], outputs: Sequence[Output]) -> list[int]:
    """Where each of *outputs* stands. By name, where it can be: a table has its partition keys last, in a star too."""
    wanted = [sent_name(number, output) for number, output in enumerate(outputs, start=1)]
    if set(wanted) <= set(names):
        return [names.index(name) for name in wanted]
    if len(names) != len(outputs):
        raise QueryError(f"The answer has {len(names)} columns, not {len(outputs)}. Name the columns instead of *.")
    return list(range(len(names)))  # Trino has other names for columns that were given none


def _kind(column: Sequence[Any], output: Output) -> pa.DataType:
    """The Arrow type of a column of the answer, which for a list is that of its items before they became JSON."""
    _, kind, _, _, precision, scale, _ = column
    if output.is_list:
        return arrow_type(output.name, _without_json(output.type).sql("trino"))
    if kind == "array":
        raise untold(output.name)
    if kind in _TEXTS:
        return pa.string()
    return arrow_type(output.name, f"decimal({precision},{scale})" if kind == "decimal" else kind)


def _without_json(kind: exp.DataType) -> exp.DataType:
    """Items that are JSON come as text."""
    kind = kind.copy()
    for node in kind.find_all(exp.DataType):
        if node.this == exp.DType.JSON:
            node.set("this", exp.DType.VARCHAR)
    return kind


def _from_file(cursor: Cursor, width: int) -> list[pa.ChunkedArray] | None:
    """The columns of the CSV file of the result. None, when there is none or it cannot be read."""
    if not cursor.output_location:
        return None
    bucket, key = parse_output_location(cursor.output_location)
    client: Any = cursor.connection.s3_client
    try:
        with closing(client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
            return read_csv(body.read(), width)
    except (ClientError, BotoCoreError, pa.ArrowInvalid):
        return None


def read_csv(data: bytes, width: int) -> list[pa.ChunkedArray]:
    """The columns of Athena's CSV: every value in quotes, so that what has none is NULL."""
    names = [str(number) for number in range(width)]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(
            column_names=names, skip_rows_after_names=1, block_size=min(len(data), _LONGEST_ROW) + 1
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),  # one column, NULL
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return [table.column(name) for name in names]


def _typed(output: Output, texts: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_string(kind):
        return texts
    try:
        if pa.types.is_list(kind):
            read = _reader(kind)
            return pa.array([None if text is None else read(json.loads(text)) for text in texts.to_pylist()], kind)
        if pa.types.is_timestamp(kind) and kind.tz:
            return pa.array([None if text is None else _moment(text) for text in texts.to_pylist()], kind)
        return texts.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError, ValueError) as error:
        raise QueryError(f"Column {output.name!r} does not fit in {kind}: {error}") from None


def _reader(kind: pa.DataType) -> Callable[[Any], Any]:
    """Makes of a value of JSON what it was before Athena's CAST to JSON."""
    if pa.types.is_list(kind):
        item = _reader(kind.value_type)
        return lambda values: None if values is None else [item(value) for value in values]
    if pa.types.is_timestamp(kind):
        return _unless_null(_moment if kind.tz else datetime.fromisoformat)
    if pa.types.is_date(kind):
        return _unless_null(date.fromisoformat)
    if pa.types.is_floating(kind):
        return _unless_null(float)  # NaN and Infinity are text in JSON
    return lambda value: value


def _unless_null(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _moment(text: str) -> datetime:
    """`2026-11-02 09:00:00.000 UTC`, `… +02:00` or `… Europe/Berlin`."""
    local, _, zone = text.rpartition(" ")
    if zone[0] in "+-":
        return datetime.fromisoformat(local + zone).astimezone(UTC)
    try:
        return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ZoneInfoNotFoundError:
        raise ValueError(f"{zone!r} is no time zone") from None
