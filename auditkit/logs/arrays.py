"""Arrow arrays straight from Python values.

pyarrow's own converter looks at each value to learn what it is, and imports pandas to ask whether it is a Series.
Whoever reads logs knows what there is: strings are joined once, and their lengths are all that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Raw

DAY_MICROS = 86_400_000_000
_EPOCH = datetime(1970, 1, 1)
_UTF8 = pa.string()
_NONE = np.zeros(0, np.int64)
_NULL = np.frombuffer(b"null", np.uint8)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Strings, None as NULL."""
    if None in values:
        return _texts_and_nulls(values)
    return _strings(*_joined(values), None)  # type: ignore[arg-type]


def _texts_and_nulls(values: Sequence[str | None]) -> pa.Array:
    """Only the texts are gone through one by one: errors are few among events."""
    places = [at for at, value in enumerate(values) if value is not None]
    if not places:
        return pa.nulls(len(values), _UTF8)
    data, some_lengths = _joined([values[at] for at in places])  # type: ignore[misc]
    lengths, valid = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    lengths[places], valid[places] = some_lengths, True
    return _strings(data, lengths, valid)


def _joined(values: Sequence[str]) -> tuple[bytes, Any]:
    """The texts as one, and how many bytes each has."""
    joined = "".join(values)
    data = joined.encode()
    if len(data) == len(joined):
        return data, np.fromiter(map(len, values), np.int64, len(values))
    # not ASCII alone: a length in letters is not one in bytes
    return data, np.fromiter((len(value.encode()) for value in values), np.int64, len(values))


def text(value: str | None) -> pa.Scalar:
    """One string, for pyarrow's functions: they convert a plain one in that same slow way."""
    return texts([value])[0]


def repeated(values: Sequence[str | None], which: Any) -> pa.DictionaryArray:
    """For each row the string that its number in *which* (NumPy, 32 bits) picks; each different one is kept once.

    Parquet keeps such a column the same way, so it is written without looking at its rows again.
    """
    places: dict[str, int] = {}
    place_of = np.fromiter(
        (-1 if value is None else places.setdefault(value, len(places)) for value in values), np.int32, len(values)
    )
    return picked(texts(list(places)), place_of[which])


def picked(values: pa.Array, which: Any) -> pa.DictionaryArray:
    """For each row the one of the distinct *values* that its number in *which* (NumPy, 32 bits) picks; -1 is NULL."""
    valid = _bits(which >= 0)
    indices = pa.Array.from_buffers(pa.int32(), len(which), [valid, pa.py_buffer(which)])
    return pa.DictionaryArray.from_arrays(indices, values)


def json_texts(raws: Sequence[Raw], null: Raw) -> pa.Array:
    """JSON texts as strings, to the byte. *null* itself and the text `null` are NULL.

    Whoever read them has checked that they are UTF-8.
    """
    missing = raws.count(null)
    if missing == len(raws):
        return pa.nulls(len(raws), _UTF8)
    if not missing:
        some, lengths, valid = raws, _lengths(raws), np.ones(len(raws), np.bool_)
    else:
        places = [at for at, raw in enumerate(raws) if raw is not null]
        some, lengths = [raws[at] for at in places], np.zeros(len(raws), np.int64)
        lengths[places] = _lengths(some)
        valid = lengths > 0
    data = b"".join(some)
    short = np.flatnonzero(lengths == len(_NULL))
    if len(short):
        starts = (np.cumsum(lengths) - lengths)[short]
        words = np.frombuffer(data, np.uint8)[starts[:, None] + np.arange(len(_NULL))]
        valid[short] = (words != _NULL).any(axis=1)
    return _strings(data, lengths, valid)


def _lengths(raws: Sequence[Raw]) -> Any:
    return np.fromiter(map(len, raws), np.int64, len(raws))


def distinct_json_texts(raws: Sequence[Raw], null: Raw) -> tuple[pa.Array, Any]:
    """The different JSON texts as strings, and for each raw the number of its own (NumPy, 32 bits); -1 for a NULL."""
    encoded = json_texts(raws, null).dictionary_encode()
    indices = encoded.indices
    if not indices.null_count:
        return encoded.dictionary, np.frombuffer(indices.buffers()[1], np.int32)[: len(raws)]
    known = as_mask(indices.is_valid())
    return encoded.dictionary, np.where(known, np.frombuffer(indices.buffers()[1], np.int32)[: len(raws)], -1)


def numbers(values: Any, kind: pa.DataType) -> pa.Array:
    """A NumPy array of the same width as *kind*, without a copy."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def mask(values: Any) -> pa.Array:
    """A NumPy array of booleans."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def booleans(values: Sequence[bool | None]) -> pa.Array:
    """True, False, None as NULL."""
    valid = np.fromiter((value is not None for value in values), np.bool_, len(values))
    truth = np.fromiter((value is True for value in values), np.bool_, len(values))
    return pa.Array.from_buffers(pa.bool_(), len(values), [_bits(valid), _bits(truth)])


def moments(values: Sequence[datetime | None]) -> pa.Array:
    """Times without a zone, in microseconds; None as NULL."""
    valid = np.fromiter((value is not None for value in values), np.bool_, len(values))
    micros = np.fromiter((0 if value is None else _micros(value) for value in values), np.int64, len(values))
    return pa.Array.from_buffers(pa.timestamp("us"), len(values), [_bits(valid), pa.py_buffer(micros)])


def as_integers(column: pa.Array | pa.ChunkedArray) -> Any:
    """The 64-bit values of a column without NULLs (counts, times) as a NumPy array."""
    array = whole(column)
    return (
        np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array)] if len(array) else _NONE
    )


def as_mask(column: pa.Array | pa.ChunkedArray) -> Any:
    """The truth values of a column without NULLs as a NumPy array."""
    array = whole(column)
    bits = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little") if len(array) else _NONE
    return bits[array.offset : array.offset + len(array)].astype(np.bool_)


def instants(values: Sequence[datetime]) -> pa.Array:
    """Aware times, in microseconds of UTC."""
    micros = np.fromiter((value.microsecond for value in values), np.int64, len(values))
    seconds = np.rint(np.fromiter(map(datetime.timestamp, values), np.float64, len(values)) - micros / 1e6)
    return numbers(seconds.astype(np.int64) * 1_000_000 + micros, pa.timestamp("us"))


def day(number: int) -> date:
    """The day so many days after the first of 1970."""
    return _EPOCH.date() + timedelta(days=number)


def of_kind(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Strings, booleans or times, as *kind* says."""
    return _OF_KIND[kind](values)


_OF_KIND: dict[pa.DataType, Callable[[Sequence[Any]], pa.Array]] = {
    pa.string(): texts,
    pa.bool_(): booleans,
    pa.timestamp("us"): moments,
}


def _strings(data: bytes, lengths: Any, valid: Any | None) -> pa.Array:
    """*data* cut into strings of these *lengths*, in bytes."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    validity = None if valid is None else _bits(valid)
    buffers = [validity, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    if len(data) <= np.iinfo(np.int32).max:
        return pa.Array.from_buffers(_UTF8, len(lengths), buffers)
    raise pa.ArrowCapacityError(f"{len(data):,} bytes of text in one column of one batch")


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _bits(flags: Any) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
