"""Arrow arrays straight from Python values: the same as pyarrow's own converter makes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from auditkit.logs import arrays

NULL = Raw(b"null")
texts = st.text(st.characters(exclude_categories=("Cs",)))


@given(st.lists(st.none() | texts))
def test_texts_are_what_pyarrow_makes_of_them(values: list[str | None]) -> None:
    made = arrays.texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))


@given(st.lists(st.none() | st.booleans()))
def test_booleans_are_what_pyarrow_makes_of_them(values: list[bool | None]) -> None:
    assert arrays.booleans(values).equals(pa.array(values, pa.bool_()))


@given(st.lists(st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))))
def test_moments_are_what_pyarrow_makes_of_them(values: list[datetime | None]) -> None:
    assert arrays.moments(values).equals(pa.array(values, pa.timestamp("us")))


@given(st.lists(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))))
def test_instants_are_exact_to_the_microsecond(values: list[datetime]) -> None:
    assert arrays.instants(values).equals(
        pa.array([value.replace(tzinfo=None) for value in values], pa.timestamp("us"))
    )


@given(st.lists(st.booleans()), st.integers(0, 9))
def test_a_mask_goes_there_and_back_even_from_the_middle(values: list[bool], start: int) -> None:
    made = arrays.mask(np.array(values, np.bool_))
    assert made.to_pylist() == values
    assert arrays.as_mask(made[start:]).tolist() == values[start:]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(0, 9))
def test_numbers_go_there_and_back_even_from_the_middle(values: list[int], start: int) -> None:
    made = arrays.numbers(np.array(values, np.int64), pa.int64())
    assert made.to_pylist() == values
    assert arrays.as_integers(made[start:]).tolist() == values[start:]
    assert arrays.as_integers(pa.chunked_array([made, made])).tolist() == values * 2


@given(st.lists(st.none() | texts, min_size=1), st.data())
def test_repeated_texts_are_those_that_their_numbers_pick(values: list[str | None], data: st.DataObject) -> None:
    which = data.draw(st.lists(st.integers(0, len(values) - 1)))
    made = arrays.repeated(values, np.array(which, np.int32))
    made.validate(full=True)
    assert made.to_pylist() == [values[at] for at in which]
    assert len(set(made.dictionary.to_pylist())) == len(made.dictionary)  # Parquet takes no value twice


def test_json_texts_are_kept_to_the_byte_and_null_is_null() -> None:
    raws = [Raw(b'{"a": 1E5}'), NULL, Raw(b"null"), Raw(b"true"), Raw('"ü"'.encode()), Raw(b"1234")]
    made = arrays.json_texts(raws, NULL)
    made.validate(full=True)
    assert made.to_pylist() == ['{"a": 1E5}', None, None, "true", '"ü"', "1234"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["a", None], pa.string()), ([True, None], pa.bool_()), ([datetime(2026, 1, 1), None], pa.timestamp("us"))],
)
def test_the_kind_chooses_the_maker(values: list[object], kind: pa.DataType) -> None:
    assert arrays.of_kind(values, kind).equals(pa.array(values, kind))
